"""The pairs of an evaluation set, read and checked before anything is translated."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aslbatch.config.score import PairsSection
from aslbatch.errors import SourceError
from aslbatch.pipelines.ownership import check_apart
from aslbatch.schema import DETAIL, REASON, RejectReason
from aslbatch.shards.plan import Plan, auto_shard_rows, make_plan
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources
from aslbatch.storage.folder import Storage

_SOURCE_KEY = re.compile(r"\bsource\.(paths|format|storage_options|text_column|columns)\b")
_PAIRS_KEY = {
    "text_column": "pairs.english or pairs.gloss",
    "columns": "pairs.english, pairs.gloss or pairs.id",
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence in English and in gloss, as they stand in the source.

    Attributes:
        source_uri: The file that it comes from.
        source_row: Its row there, from 0.
        english: The English.
        gloss: The gloss.
    """

    source_uri: str
    source_row: int
    english: str
    gloss: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """An evaluation set.

    Attributes:
        sources: URIs of its files.
        scored: The pairs to score, in the order in which they lie there.
        excluded: Rows left out by their ids.
        incomplete: Rows left out since their English or their gloss is missing.
    """

    sources: list[str]
    scored: list[Pair]
    excluded: int
    incomplete: int


def read_pairs(config: PairsSection, sink: Storage) -> Pairs:
    """Read the pairs, and check that they are what the configuration says.

    Args:
        config: Where they lie, and which of them are scored.
        sink: The output folder, in which they must not lie.

    Raises:
        SourceError: A file or a column is missing, a row cannot be read, other rows are left than
            expected, or an id to exclude is not there.
    """
    with _keys_of_pairs():
        sources = list_sources(
            config.paths, format=config.format, storage_options=config.storage_options
        )
        check_apart(sources, sink)
        rows = list(_rows(config, sources))
    kept = _without_excluded(config, rows)
    scored = [
        Pair(row["source_uri"], row["source_row"], row[config.english], row[config.gloss])
        for row in kept
        if _has_text(row[config.english]) and _has_text(row[config.gloss])
    ]
    pairs = Pairs(
        [source.uri for source in sources],
        scored,
        excluded=len(rows) - len(kept),
        incomplete=len(kept) - len(scored),
    )
    _check_count(config, pairs, len(rows))
    return pairs


def _rows(config: PairsSection, sources: list[Source]) -> Iterator[Row]:
    """Yield all rows, with the columns of the pairs and those that say where they are from.

    Raises:
        SourceError: A source or one of its rows cannot be read, or it lacks a column of text.
    """
    reading = Reading(text_column=config.english, storage_options=config.storage_options)
    # A scan looks for one column of text in each file, and the other one must be there too.
    _plan(config, sources, replace(reading, text_column=config.gloss))
    plan = _plan(config, sources, reading)
    for shard in plan.shards:
        for row in read_shard(shard, schema=plan.schema, reading=reading).to_pylist():
            if row[REASON] not in (None, RejectReason.EMPTY):
                raise SourceError(
                    f"{row['source_uri']} row {row['source_row']}: {row[REASON]} ({row[DETAIL]}), "
                    f"so that the pair is not known; mend or drop the row"
                )
            yield row


def _plan(config: PairsSection, sources: list[Source], reading: Reading) -> Plan:
    columns = dict.fromkeys(filter(None, [config.english, config.gloss, config.id]))
    return make_plan(
        sources,
        reading=reading,
        columns=list(columns),
        shard_rows=partial(auto_shard_rows, workers=1),
    )


def _has_text(value: str | None) -> bool:
    return bool(value and value.strip())


def _without_excluded(config: PairsSection, rows: list[Row]) -> list[Row]:
    """Return the rows whose ids are not excluded.

    Raises:
        SourceError: An id to exclude is not there: then it has another form, and nothing would be.
    """
    name, excluded = config.id, set(config.exclude_ids)
    if name is None or not excluded:
        return rows
    if missing := sorted(excluded - {str(row[name]) for row in rows}):
        raise SourceError(
            f"pairs.exclude_ids: {len(missing)} of {len(excluded)} ids are in no row of column "
            f"{name!r}, such as {missing[0]!r}; expected ids like {str(rows[0][name])!r}"
        )
    return [row for row in rows if str(row[name]) not in excluded]


def _check_count(config: PairsSection, pairs: Pairs, rows: int) -> None:
    expected = config.rows_to_score
    if pairs.scored and expected in (None, len(pairs.scored)):
        return
    key = f"pairs.known_set {config.known_set}" if config.known_set else "pairs.expected_rows"
    raise SourceError(
        f"{len(pairs.scored)} of {rows} rows are left to score, {key} says "
        f"{expected or 'any number but 0'}: {pairs.excluded} left out by pairs.exclude_ids, "
        f"{pairs.incomplete} without {config.english!r} or {config.gloss!r}"
    )


@contextmanager
def _keys_of_pairs() -> Iterator[None]:
    """Name this job's keys in errors of code that knows those of a translate job."""
    try:
        yield
    except SourceError as error:
        message = _SOURCE_KEY.sub(
            lambda key: _PAIRS_KEY.get(key[1], f"pairs.{key[1]}"), error.message
        )
        raise SourceError(message) from error
