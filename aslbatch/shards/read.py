"""Read one shard into a table: the kept source columns, the text, and where each row is from."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from aslbatch.errors import DamagedSourceError, SourceError
from aslbatch.schema import DETAIL, REASON, SOURCE_ROW, SOURCE_URI, TEXT, RejectReason
from aslbatch.shards.formats.content import readable
from aslbatch.shards.formats.protocol import RawRows
from aslbatch.shards.formats.registry import FORMATS
from aslbatch.shards.listing import fingerprint
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece, Shard
from aslbatch.shards.source import Source

_READERS = 8


def read_shard(shard: Shard, *, schema: pa.Schema, reading: Reading) -> pa.Table:
    """Read exactly the rows of a shard, in order.

    Args:
        shard: A shard of the plan.
        schema: The plan's schema: the source columns to keep.
        reading: How the job reads its sources.

    Returns:
        The source columns as `schema` has them, null where a row cannot be parsed; then `_text`
        (string, null where rejected), `source_uri`, `source_row` (int64, from 0), and
        `_reject_reason` and `_reject_detail` (string, null where the row is good). Where the bytes
        of a piece cannot be decoded, all of its rows are rejected as `unreadable`.

    Raises:
        SourceError: A source cannot be opened, or changed since the plan was made.
    """
    # Small objects of a remote store are waited for together; an archive is read front to end.
    batches = [list(pieces) for _, pieces in groupby(shard.pieces, lambda p: p.source.container)]
    with ThreadPoolExecutor(min(_READERS, len(batches))) as pool:
        tables = pool.map(lambda batch: _read_pieces(batch, schema, reading), batches)
        table = pa.concat_tables(table for batch in tables for table in batch)
    return table.unify_dictionaries().combine_chunks()


def _read_pieces(pieces: Sequence[Piece], schema: pa.Schema, reading: Reading) -> list[pa.Table]:
    """Read pieces of one file, or of files in one archive."""
    _check_unchanged(pieces[0].source, reading.storage_options)
    tables = [_read_piece(piece, schema, reading) for piece in pieces]
    # Checked again, since a source that is replaced while it is read may give parts of both.
    _check_unchanged(pieces[0].source, reading.storage_options)
    return tables


def _read_piece(piece: Piece, schema: pa.Schema, reading: Reading) -> pa.Table:
    try:
        raw = FORMATS[piece.source.format].read(piece, schema=schema, reading=reading)
    except DamagedSourceError as error:
        raw = _unreadable(piece, schema, error.message)
    if len(raw.text) != piece.rows:
        raise SourceError(
            f"{piece}: {len(raw.text)} rows, planned were {piece.rows}; "
            "the file changed since the plan was made: bring it back, or plan again (--overwrite)"
        )
    return _to_table(piece, raw, schema, reading.text_column)


def _unreadable(piece: Piece, schema: pa.Schema, detail: str) -> RawRows:
    """Return a piece of which nothing can be read: every row is rejected, none is missing."""
    return RawRows(
        columns=[pa.nulls(piece.rows, field.type) for field in schema],
        text=pa.nulls(piece.rows, pa.string()),
        rejects=dict.fromkeys(range(piece.rows), (RejectReason.UNREADABLE, detail)),
    )


def _check_unchanged(source: Source, storage_options: Mapping[str, Any]) -> None:
    with readable(source.uri):
        size, version = fingerprint(source.path, storage_options)
    if (size, version) != (source.size, source.version):
        raise SourceError(
            f"{source.uri} changed since the plan was made: it had {source.size} bytes and "
            f"version {source.version}, now {size} bytes and version {version}; "
            "bring the file back, or plan again (--overwrite)"
        )


def _to_table(piece: Piece, raw: RawRows, schema: pa.Schema, text_column: str) -> pa.Table:
    rejects = dict(raw.rejects)
    for row in np.flatnonzero(raw.text.is_null().to_numpy(zero_copy_only=False)).tolist():
        rejects.setdefault(row, (RejectReason.EMPTY, f"column {text_column!r} is null"))
    reasons: list[str | None] = [None] * piece.rows
    details: list[str | None] = [None] * piece.rows
    for row, (reason, detail) in rejects.items():
        reasons[row], details[row] = reason.value, detail
    uri = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(piece.rows, np.int32)), [piece.source.uri]
    )
    row_numbers = pa.array(np.arange(piece.row_start, piece.row_start + piece.rows))
    return pa.table(
        [
            *raw.columns,
            raw.text,
            uri,
            row_numbers,
            pa.array(reasons, pa.string()),
            pa.array(details, pa.string()),
        ],
        schema=pa.schema(
            [
                *schema,
                (TEXT, pa.string()),
                SOURCE_URI,
                SOURCE_ROW,
                (REASON, pa.string()),
                (DETAIL, pa.string()),
            ]
        ),
    )
