"""Files of a data set, read as a whole into rows: which column is what is said, not guessed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from aslbatch.corpora.row import Dropped, Labels, Row
from aslbatch.errors import SourceError
from aslbatch.shards.columns import keep_columns
from aslbatch.shards.formats.protocol import Index
from aslbatch.shards.formats.registry import FORMATS
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source

_THEIR_KEY = re.compile(r"\bsource\.(paths|format|text_column|columns|storage_options)\b")
_ONE_PIECE = 1 << 40
"""Rows between two marks: more than a file has, so that it is read in one piece."""


@dataclass(frozen=True, slots=True)
class FileRows:
    """What one file came to.

    Attributes:
        source: The file.
        rows: Rows in it, those that cannot be read among them.
        sentences: Unique sentences in it, as they stand there.
        kept: Rows with text, in order.
        dropped: Rows that cannot be read.
        expected: Rows that this very file is known to have; None where it is not known.
    """

    source: Source
    rows: int
    sentences: int
    kept: list[Row]
    dropped: list[Dropped]
    expected: int | None = None


def scan_file(source: Source, *, text_column: str, storage_options: Mapping[str, Any]) -> Index:
    """Count the rows of a file and find its columns.

    Raises:
        SourceError: It cannot be read, or has no such column of strings.
    """
    return FORMATS[source.format].scan(
        source,
        reading=Reading(text_column, storage_options),
        mark_every=_ONE_PIECE,
        limit=None,
    )


def read_file(
    source: Source,
    index: Index,
    *,
    labels: Labels,
    columns: Mapping[str, str],
    storage_options: Mapping[str, Any],
    expected: int | None = None,
) -> FileRows:
    """Read all rows of a file that was scanned.

    Args:
        source: The file.
        index: What `scan_file` found.
        labels: What all rows have in common.
        columns: The file's column for each field of `Row` that it has; `source` must be among them.
        storage_options: Passed to fsspec.
        expected: Rows that this very file is known to have.

    Raises:
        SourceError: The file cannot be read, or lacks a column.
    """
    names = list(dict.fromkeys(columns.values()))
    texts, rejects = _read_columns(source, index, columns["source"], names, storage_options)
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for number in range(index.rows):
        values = {field: texts[name][number] for field, name in columns.items()}
        row = _row(source, number, labels, values)
        if number in rejects:
            dropped.append(Dropped(row, *rejects[number]))
        else:
            kept.append(row)
    sentences = len({row.source for row in kept})
    return FileRows(source, index.rows, sentences, kept, dropped, expected)


@contextmanager
def naming(place: str, **keys: str) -> Iterator[None]:
    """Let errors of the readers name the keys of this job instead of the translate job's.

    Args:
        place: The data set, such as `datasets[2]`.
        keys: What stands there for a key that is called otherwise, such as `text_column`.
    """

    def ours(key: re.Match[str]) -> str:
        return f"{place}.{keys.get(key[1], key[1])}"

    try:
        yield
    except SourceError as error:
        raise SourceError(_THEIR_KEY.sub(ours, error.message)) from error


def _read_columns(
    source: Source,
    index: Index,
    text_column: str,
    names: Sequence[str],
    storage_options: Mapping[str, Any],
) -> tuple[dict[str, list[str | None]], dict[int, tuple[str, str]]]:
    """Return columns as texts, and the rows that cannot be read with reason and detail."""
    reading = Reading(text_column, storage_options)
    others = [name for name in names if name != text_column]
    guessed = index.schema.names if index.guessed_types else ()
    schema = keep_columns(
        [(source.uri, index.schema)], others, guessed=guessed, allow_reserved=True
    )
    start, end = (index.offsets[0], index.offsets[-1]) if index.offsets else (None, None)
    piece = Piece(source, 0, index.rows, start, end)
    raw = FORMATS[source.format].read(piece, schema=schema, reading=reading)
    nested = [field for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise SourceError(
            f"{source.uri}: column {nested[0].name!r} is {nested[0].type}, expected text; name "
            "another in source.columns"
        )
    texts = {
        field.name: [None if value is None else str(value) for value in column.to_pylist()]
        for field, column in zip(schema, raw.columns, strict=True)
    }
    texts[text_column] = raw.text.to_pylist()
    rejects = {row: (reason.value, detail) for row, (reason, detail) in raw.rejects.items()}
    return texts, rejects


def _row(source: Source, number: int, labels: Labels, values: Mapping[str, str | None]) -> Row:
    return Row(
        entry=labels.entry,
        dataset=labels.dataset,
        source=values["source"] or "",
        target=values.get("target"),
        origin=values.get("origin") or labels.origin,
        split=values.get("split") or labels.split,
        id=values.get("id") or f"{PurePosixPath(source.uri).name}#{number}",
        document=values.get("document") or None,
        license=values.get("license") or labels.license,
        signer=values.get("signer") or None,
        tag=values.get("tag") or labels.tag,
        flags=(),
        source_uri=source.uri,
        source_row=number,
    )
