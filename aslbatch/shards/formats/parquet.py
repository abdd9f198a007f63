"""Parquet: all columns pass through with the types they have, nested ones too."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.shards.columns import check_text_column
from aslbatch.shards.formats.content import readable
from aslbatch.shards.formats.extension_types import open_parquet
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.formats.tabular import raw_rows, wanted_columns
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source
from aslbatch.storage.stored import open_stored

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
        groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
        counts = [group.num_rows for group in groups]
        if sum(counts) != rows or min(counts, default=0) < 0:
            raise pa.ArrowInvalid(f"{rows} rows in all, but {sum(counts)} in its row groups")
        row_bytes = sum(group.total_byte_size for group in groups) / max(rows, 1)
    kept = rows if limit is None else min(rows, limit)
    return Index(kept, schema, unpacked_bytes=round(kept * row_bytes))


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Read the row groups that overlap; see `aslbatch.shards.formats.protocol.Format`."""
    with _open_parquet(piece.source, reading, pre_buffer=True) as file:
        path = check_text_column(piece.source.uri, file.schema_arrow, reading.text_column)
        names = wanted_columns(file.schema_arrow, schema, path)
        batches = list(_batches(file, piece, names))
        file_schema = pa.schema([file.schema_arrow.field(name) for name in names])
        table = pa.Table.from_batches(batches, file_schema)
        return raw_rows(piece, table, schema=schema, text_path=path)


@contextmanager
def _open_parquet(file: Source, reading: Reading, *, pre_buffer: bool) -> Iterator[pq.ParquetFile]:
    with (
        readable(file.uri),
        open_stored(file.path, file.size, reading.storage_options) as stored,
        open_parquet(stored, pre_buffer=pre_buffer) as parquet,
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
