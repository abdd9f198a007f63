"""Arrow files: streams, as `datasets.Dataset.save_to_disk` writes them, and the IPC file format."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from aslbatch.shards.columns import check_text_column
from aslbatch.shards.formats.content import readable
from aslbatch.shards.formats.extension_types import IpcStream, ipc_stream
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.formats.tabular import raw_rows, wanted_columns
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source
from aslbatch.storage.stored import open_stored


def scan(source: Source, *, reading: Reading, mark_every: int, limit: int | None) -> Index:
    """Count the rows of all batches; see `aslbatch.shards.formats.protocol.Format`.

    Of the columns only the text is decoded. The format cannot be entered in the middle, so
    `mark_every` has no effect.
    """
    del mark_every
    with _open(source, reading) as (schema, stream):
        path = check_text_column(source.uri, schema, reading.text_column)
        rows = 0
        for batch in _batches(stream, schema, [path[0]]):
            rows += batch.num_rows
            if limit is not None and rows >= limit:
                return Index(limit, schema, unpacked_bytes=stream.bytes_read * limit // rows)
    return Index(rows, schema, unpacked_bytes=stream.bytes_read)


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Read the batches that overlap; see `aslbatch.shards.formats.protocol.Format`."""
    with _open(piece.source, reading) as (present, stream):
        path = check_text_column(piece.source.uri, present, reading.text_column)
        names = wanted_columns(present, schema, path)
        batches: list[pa.RecordBatch] = []
        position, end = 0, piece.row_start + piece.rows
        for batch in _batches(stream, present, names):
            start, stop = max(piece.row_start - position, 0), min(end - position, batch.num_rows)
            if start < stop:
                batches.append(batch.select(names).slice(start, stop - start))
            position += batch.num_rows
            if position >= end:
                break
        kept = pa.schema([present.field(name) for name in names], present.metadata)
        table = pa.Table.from_batches(batches, kept)
        return raw_rows(piece, table, schema=schema, text_path=path)


@contextmanager
def _open(file: Source, reading: Reading) -> Iterator[tuple[pa.Schema, IpcStream]]:
    with readable(file.uri), open_stored(file.path, file.size, reading.storage_options) as stored:
        yield ipc_stream(stored)


def _batches(stream: IpcStream, schema: pa.Schema, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield batches with at least these columns, whose buffers are as long as they should be."""
    included = sorted(schema.get_field_index(name) for name in names)
    options = pa.ipc.IpcReadOptions(included_fields=included)
    with pa.ipc.open_stream(pa.PythonFile(stream, "r"), options=options) as reader:
        for batch in reader:
            batch.validate()
            yield batch
