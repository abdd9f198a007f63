"""Score a model on an evaluation set: translated by the main pipeline, compared with references.

Every pair counts: one whose input was rejected is scored as an empty translation. Beside the model
stands a baseline that copies its input, since gloss shares most of its words with English.
"""

import json
import string
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from aslbatch.config.score import Direction, ScoreConfig
from aslbatch.errors import SourceError
from aslbatch.evaluation.scores import corpus_scores
from aslbatch.pipelines.accounts import load_plan, read_records
from aslbatch.pipelines.ownership import check_apart
from aslbatch.pipelines.rows import rejected_rows, translated_rows
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.pipelines.score_card import PROVENANCE, DirectionScores, score_card
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.watcher import Watcher
from aslbatch.schema import REJECT_REASON, SOURCE_ROW, SOURCE_URI, RejectReason
from aslbatch.shards.sources import list_sources
from aslbatch.storage.folder import Storage

SCORES, SCORE_CARD = "scores.json", "scores.md"
_NOT_READ = frozenset(
    {RejectReason.INVALID_ROW, RejectReason.INVALID_UTF8, RejectReason.UNREADABLE}
)

Row = dict[str, Any]


def score(
    config: ScoreConfig,
    *,
    overwrite: bool = False,
    watcher: Watcher | None = None,
    verbose: bool = False,
) -> list[DirectionScores]:
    """Translate the pairs each way and score them; run again, finished translations are kept.

    Args:
        config: The pairs, the model, and where everything goes.
        overwrite: Delete other runs' translations instead of refusing them.
        watcher: Is told the plan and the progress of each translation.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: See `aslbatch.errors`; a `SourceError` where a pair could not be read, other
            rows are left than `pairs.expected_rows`, or an id to exclude is not there.
    """
    sink = Storage(config.sink.path, config.sink.storage_options)
    pairs = config.pairs
    check_apart(
        list_sources(pairs.paths, format=pairs.format, storage_options=dict(pairs.storage_options)),
        sink,
    )
    for name in (SCORES, SCORE_CARD):  # they would outlive what they are the scores of
        sink.delete(name)
    found = []
    for direction in config.directions:
        job = config.translation(direction)
        translate(job, overwrite=overwrite, watcher=watcher, verbose=verbose)
        storage = Storage(job.sink.path, job.sink.storage_options)
        found.append(score_direction(config, direction, list(_rows(storage, config))))
    values: dict[str, Any] = {each.direction: asdict(each) for each in found}
    values["pairs"] = pairs.model_dump(exclude={"storage_options"})
    sink.publish(SCORES, (json.dumps(values, indent=1) + "\n").encode())
    sink.publish(SCORE_CARD, score_card(found).encode())
    return found


def score_direction(config: ScoreConfig, direction: Direction, rows: list[Row]) -> DirectionScores:
    """Score the rows of one direction.

    Args:
        config: Says which columns they have, and which rows are left out.
        direction: Which way they were translated.
        rows: With the columns of the pairs, and those of a translation, null where it was rejected.

    Raises:
        SourceError: As `score`.
    """
    source, reference = config.text_column(direction), config.reference_column(direction)
    for row in rows:
        if row["reject_reason"] in _NOT_READ:
            raise SourceError(
                f"{row['source_uri']} row {row['source_row']}: {row['reject_reason']}, so that the "
                f"pair is not known; mend or drop the row"
            )
    kept = _without_excluded(config, rows)
    scored = [row for row in kept if _text(row[source]) and _text(row[reference])]
    expected = config.pairs.expected_rows
    if not scored or (expected is not None and len(scored) != expected):
        raise SourceError(
            f"{len(scored)} of {len(rows)} rows are left to score, pairs.expected_rows is "
            f"{expected or 'any number but 0'}: {len(rows) - len(kept)} left out by "
            f"pairs.exclude_ids, {len(kept) - len(scored)} without {source!r} or {reference!r}"
        )
    gloss = direction == "into_gloss"
    texts = {
        "references": [_text(row[reference]) for row in scored],
        "system": [_text(row["translation"]) for row in scored],
        "copy": [_copied(row[source], gloss=gloss) for row in scored],
    }
    system, copy = (
        corpus_scores(texts[name], texts["references"], gloss=gloss, samples=config.resamples)
        for name in ("system", "copy")
    )
    return DirectionScores(
        direction=direction,
        sources=sorted({row["source_uri"] for row in rows}),
        rows=len(scored),
        excluded=len(rows) - len(kept),
        incomplete=len(kept) - len(scored),
        rejected=sum(row["translation"] is None for row in scored),
        provenance={name: _distinct(scored, name) for name in PROVENANCE},
        system=system,
        copy=copy,
    )


def _text(value: str | None) -> str:
    """Return a text with single spaces, which no score should depend on."""
    return " ".join((value or "").split())


def _copied(text: str, *, gloss: bool) -> str:
    """Return the input as a system would give it that translates nothing but conventions."""
    if not gloss:
        return _text(text).lower()
    words = (word.strip(string.punctuation) for word in text.upper().split())
    return " ".join(filter(None, words))


def _distinct(rows: list[Row], name: str) -> list[str]:
    return sorted({row[name] for row in rows if row.get(name)})


def _without_excluded(config: ScoreConfig, rows: list[Row]) -> list[Row]:
    """Return the rows whose ids are not excluded.

    Raises:
        SourceError: An id to exclude is not there: then it has another form, and nothing would be.
    """
    name, excluded = config.pairs.id, set(config.pairs.exclude_ids)
    if name is None or not excluded:
        return rows
    if missing := sorted(excluded - {str(row[name]) for row in rows}):
        raise SourceError(
            f"pairs.exclude_ids: {len(missing)} of {len(excluded)} ids are in no row of column "
            f"{name!r}, such as {missing[0]!r}; expected ids like {str(rows[0][name])!r}"
        )
    return [row for row in rows if str(row[name]) not in excluded]


def _rows(storage: Storage, config: ScoreConfig) -> Iterator[Row]:
    """Yield all rows of a finished translation.

    Raises:
        SourceError: A column does not hold text.
    """
    plan = load_plan(storage)
    records = read_records(storage, plan.shards, read_run_record(storage)["run_id"])
    texts = [config.pairs.english, config.pairs.gloss]
    for name in texts:
        if not pa.types.is_string(kind := plan.schema.field(name).type):
            raise SourceError(f"column {name!r} of pairs.paths holds {kind}, expected text")
    names = dict.fromkeys([*texts, *filter(None, [config.pairs.id])])
    columns = [SOURCE_URI, SOURCE_ROW, *(plan.schema.field(name) for name in names)]
    tags = [pa.field(name, pa.string()) for name in ("translation", *PROVENANCE)]
    for table in translated_rows(storage, records, pa.schema([*columns, *tags])):
        yield from ({**row, "reject_reason": None} for row in table.to_pylist())
    for table in rejected_rows(storage, records, pa.schema([*columns, REJECT_REASON])):
        yield from ({**row, "translation": None} for row in table.to_pylist())
