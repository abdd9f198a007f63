"""Score a model on an evaluation set: translated by the main pipeline, compared with references.

Every row counts: one without a translation is scored as an empty one. Beside the model stands a
baseline that copies its input, since gloss shares most of its words with English.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from aslbatch.config.score import Direction, ScoreConfig
from aslbatch.errors import SourceError
from aslbatch.evaluation.scores import corpus_scores
from aslbatch.pipelines.accounts import load_plan, read_records
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.pipelines.score_card import DirectionScores, score_card
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.watcher import Watcher
from aslbatch.schema import SOURCE_ROW, SOURCE_URI
from aslbatch.shards.published import ReadFiles
from aslbatch.storage.folder import Storage

SCORES, SCORE_CARD = "scores.json", "scores.md"

_PROVENANCE = ("model", "model_revision", "model_sha256", "engine", "decoding")

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
        AslbatchError: See `aslbatch.errors`; a `SourceError` where other rows are left than
            `pairs.expected_rows`, or an id to exclude is not there.
    """
    found = []
    for direction in config.directions:
        job = config.translation(direction)
        translate(job, overwrite=overwrite, watcher=watcher, verbose=verbose)
        storage = Storage(job.sink.path, job.sink.storage_options)
        found.append(score_direction(config, direction, list(_rows(storage, config, direction))))
    sink = Storage(config.sink.path, config.sink.storage_options)
    values = {each.direction: asdict(each) for each in found}
    sink.publish(SCORES, (json.dumps(values, indent=1) + "\n").encode())
    sink.publish(SCORE_CARD, score_card(found).encode())
    return found


def score_direction(config: ScoreConfig, direction: Direction, rows: list[Row]) -> DirectionScores:
    """Score the rows of one direction.

    Args:
        config: Says which columns they have, and which rows are left out.
        direction: Which way they were translated.
        rows: With the columns of the pairs, and `translation`, which may be null.

    Raises:
        SourceError: As `score`.
    """
    source, reference = config.text_column(direction), config.reference_column(direction)
    kept = _without_excluded(config, rows)
    scored = [row for row in kept if all((row[name] or "").strip() for name in (source, reference))]
    expected = config.pairs.expected_rows
    if not scored or (expected is not None and len(scored) != expected):
        raise SourceError(
            f"{len(scored)} of {len(rows)} rows are left to score, expected "
            f"{expected or 'at least one'}: {len(rows) - len(kept)} excluded by pairs.exclude_ids, "
            f"{len(kept) - len(scored)} without {source!r} or {reference!r}; check pairs.paths and "
            f"these keys"
        )
    references = [row[reference].strip() for row in scored]
    gloss = direction == "into_gloss"
    copies = [_copied(row[source], gloss=gloss) for row in scored]
    hypotheses = [row["translation"] or "" for row in scored]
    translated = next((row for row in scored if row["translation"] is not None), {})
    return DirectionScores(
        direction=direction,
        rows=len(scored),
        excluded=len(rows) - len(kept),
        incomplete=len(kept) - len(scored),
        rejected=sum(row["translation"] is None for row in scored),
        provenance={name: translated.get(name, "") for name in _PROVENANCE},
        system=corpus_scores(hypotheses, references, gloss=gloss, samples=config.samples),
        copy=corpus_scores(copies, references, gloss=gloss, samples=config.samples),
    )


def _without_excluded(config: ScoreConfig, rows: list[Row]) -> list[Row]:
    """Return the rows whose ids are not excluded.

    Raises:
        SourceError: An id to exclude is not there: then it has another form, and nothing would be.
    """
    name, excluded = config.pairs.id, set(config.pairs.exclude_ids)
    if not excluded:
        return rows
    if name is None:
        raise SourceError("pairs.exclude_ids needs pairs.id, the column that holds the ids")
    if missing := sorted(excluded - {str(row[name]) for row in rows}):
        raise SourceError(
            f"pairs.exclude_ids: {len(missing)} of {len(excluded)} ids are in no row of column "
            f"{name!r}, such as {missing[0]!r}; expected ids like {str(rows[0][name])!r}"
        )
    return [row for row in rows if str(row[name]) not in excluded]


def _copied(text: str, *, gloss: bool) -> str:
    """Return the input as the output of a system that translates nothing."""
    return text.upper().strip() if gloss else text.strip()


def _rows(storage: Storage, config: ScoreConfig, direction: Direction) -> Iterator[Row]:
    """Yield all rows of a finished translation, in the order of the sources."""
    plan = load_plan(storage)
    records = read_records(storage, plan.shards, read_run_record(storage)["run_id"])
    names = [config.pairs.english, config.pairs.gloss]
    if config.pairs.id is not None:
        names.append(config.pairs.id)
    own = [plan.schema.field(name) for name in dict.fromkeys(names)]
    columns = pa.schema([SOURCE_URI, SOURCE_ROW, *own])
    tags = [(name, pa.string()) for name in ("translation", *_PROVENANCE)]
    translated = pa.schema([*columns, *tags])
    for record in records:
        files = ReadFiles(storage)
        rows: list[Row] = files.rows(record.data, translated).to_pylist()
        if record.rejected is not None:
            rejected = files.rows(record.rejected, columns).to_pylist()
            rows += [row | {"translation": None} for row in rejected]
        yield from sorted(rows, key=lambda row: (row["source_uri"], row["source_row"]))
