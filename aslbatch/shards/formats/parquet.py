"""Parquet: all columns pass through with the types they have, nested ones too."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from aslbatch.errors import SourceError
from aslbatch.rejects import Rejection
from aslbatch.shards.columns import check_text_column
from aslbatch.shards.formats.content import readable
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.formats.text import invalid_utf8
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source

BATCH_ROWS = 16_384


def scan(source: Source, *, reading: Reading, mark_every: int, limit: int | None) -> Index:
    """Read the footer; see `aslbatch.shards.formats.protocol.Format`.

    Parquet needs no marks, so `mark_every` has no effect.
    """
    del mark_every
    # Without the threads that read ahead: there is nothing ahead of a footer.
    with _open_parquet(source, reading, pre_buffer=False) as file:
        schema = file.schema_arrow
        check_text_column(source.uri, schema, reading.text_column)
        rows = file.metadata.num_rows
        groups = (file.metadata.row_group(group) for group in range(file.num_row_groups))
        row_bytes = sum(group.total_byte_size for group in groups) / max(rows, 1)
    kept = rows if limit is None else min(rows, limit)
    return Index(kept, schema, unpacked_bytes=round(kept * row_bytes))


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Read the row groups that overlap; see `aslbatch.shards.formats.protocol.Format`."""
    text_column = reading.text_column
    with _open_parquet(piece.source, reading, pre_buffer=True) as file:
        present = set(file.schema_arrow.names)
        names = [name for name in schema.names if name in present]
        names += [] if text_column in names else [text_column]
        batches = list(_batches(file, piece, names))
        file_schema = pa.schema([file.schema_arrow.field(name) for name in names])
        table = pa.Table.from_batches(batches, file_schema)
    columns = [
        _as_type(piece, table.column(field.name), field)
        if field.name in present
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    text = table.column(text_column).cast(pa.string()).combine_chunks()
    return RawRows(columns, *_valid_text(text))


@contextmanager
def _open_parquet(file: Source, reading: Reading, *, pre_buffer: bool) -> Iterator[pq.ParquetFile]:
    with readable(file.uri):
        fs, inner = url_to_fs(file.path, **reading.storage_options)
        with (
            fs.open(inner, "rb") as stored,
            pq.ParquetFile(stored, pre_buffer=pre_buffer) as parquet,
        ):
            yield parquet


def _batches(file: pq.ParquetFile, piece: Piece, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a piece, batch by batch, so that no row group is held as a whole."""
    end = piece.row_start + piece.rows
    groups: list[int] = []
    first_row, position = 0, 0
    for group in range(file.num_row_groups):
        group_end = position + file.metadata.row_group(group).num_rows
        if group_end > piece.row_start and position < end:
            first_row = first_row if groups else position
            groups.append(group)
        position = group_end
    position = first_row
    for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=names):
        start, stop = max(piece.row_start - position, 0), min(end - position, batch.num_rows)
        if start < stop:
            yield batch.select(names).slice(start, stop - start)
        position += batch.num_rows
        if position >= end:
            return


def _as_type(piece: Piece, column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        raise SourceError(
            f"{piece.source.uri} rows {piece.row_start} to {piece.row_start + piece.rows - 1}: "
            f"column {field.name!r} cannot be converted to {field.type}, which other sources have: "
            f"{error}; leave the column out with source.columns, or run them as two jobs"
        ) from error


def _valid_text(text: pa.Array) -> tuple[pa.Array, dict[int, Rejection]]:
    """Reject strings that are not UTF-8, which Parquet readers do not check."""
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        pass
    else:
        return text, {}
    rejects: dict[int, Rejection] = {}
    texts: list[str | None] = []
    for row, value in enumerate(text.cast(pa.binary()).to_pylist()):
        try:
            texts.append(None if value is None else value.decode())
        except UnicodeDecodeError as error:
            texts.append(None)
            rejects[row] = invalid_utf8(error)
    return pa.array(texts, pa.string()), rejects
