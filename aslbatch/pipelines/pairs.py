"""The pairs of an evaluation set, read and checked before anything is translated."""

from dataclasses import dataclass

from aslbatch.config.score import PairsSection
from aslbatch.errors import SourceError
from aslbatch.pipelines.pair_rows import PairFiles, Row
from aslbatch.pipelines.teacher_note import read_note
from aslbatch.storage.folder import Storage


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
    files = PairFiles.scan(
        "pairs",
        config.paths,
        sink,
        format=config.format,
        english=config.english,
        gloss=config.gloss,
        others=(config.id,) if config.id else (),
        storage_options=config.storage_options,
    )
    rows = list(files.rows())
    kept = _without_excluded(config, rows, _examples(config, sink))
    scored = [
        Pair(row["source_uri"], row["source_row"], row[config.english], row[config.gloss])
        for row in kept
        if _has_text(row[config.english]) and _has_text(row[config.gloss])
    ]
    pairs = Pairs(
        [source.uri for source in files.sources],
        scored,
        excluded=len(rows) - len(kept),
        incomplete=len(kept) - len(scored),
    )
    _check_count(config, pairs, len(rows))
    return pairs


def _has_text(value: str | None) -> bool:
    return bool(value and value.strip())


def _examples(config: PairsSection, sink: Storage) -> set[str]:
    """Return the ids of the examples that a teacher was shown."""
    if config.exclude_examples_of is None:
        return set()
    return set(read_note(sink.elsewhere(config.exclude_examples_of))["few_shot_ids"])


def _without_excluded(config: PairsSection, rows: list[Row], examples: set[str]) -> list[Row]:
    """Return the rows whose ids are not excluded.

    Raises:
        SourceError: An id to exclude is not there: then it has another form, and nothing would be.
    """
    name, excluded = config.id, set(config.exclude_ids)
    if name is None or not excluded | examples:
        return rows
    if missing := sorted(excluded - {str(row[name]) for row in rows}):
        raise SourceError(
            f"pairs.exclude_ids: {len(missing)} of {len(excluded)} ids are in no row of column "
            f"{name!r}, such as {missing[0]!r}; expected ids like {str(rows[0][name])!r}"
        )
    if examples and not any(str(row[name]) in examples for row in rows):
        raise SourceError(
            f"pairs.exclude_examples_of: none of the {len(examples)} examples is in column "
            f"{name!r}, such as {min(examples)!r}; expected ids like {str(rows[0][name])!r}"
        )
    excluded |= examples
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
