"""Plain text: every line is a row, blank ones too, so that row numbers are line numbers."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from aslbatch.rejects import Rejection
from aslbatch.schema import RejectReason
from aslbatch.shards.formats.content import (
    BOM,
    count_lines,
    open_content,
    read_range,
    split_lines,
)
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.shard import Shard
from aslbatch.shards.sources import Source


def scan(
    source: Source,
    *,
    text_column: str,
    mark_every: int,
    limit: int | None,
    storage_options: Mapping[str, Any],
) -> Index:
    """Count the lines of a text file; see `aslbatch.shards.formats.protocol.Format`."""
    with open_content(source, storage_options) as content:
        rows, offsets = count_lines(content, mark_every=mark_every, limit=limit)
    schema = pa.schema([(text_column, pa.string())])
    return Index(rows, schema, text_bytes=offsets[-1] - rows, offsets=offsets)


def read(
    shard: Shard, *, schema: pa.Schema, text_column: str, storage_options: Mapping[str, Any]
) -> RawRows:
    """Read lines; see `aslbatch.shards.formats.protocol.Format`."""
    texts: list[str | None] = []
    rejects: dict[int, Rejection] = {}
    for row, line in enumerate(split_lines(read_range(shard, storage_options))):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            rejects[row] = invalid_utf8(error)
            texts.append(None)
        else:
            texts.append(text.removeprefix(BOM) if shard.byte_start == row == 0 else text)
    text_array = pa.array(texts, pa.string())
    columns = [
        text_array.cast(field.type)
        if field.name == text_column
        else pa.nulls(len(texts), field.type)
        for field in schema
    ]
    return RawRows(columns, text_array, rejects)


def invalid_utf8(error: UnicodeDecodeError, *, offset: int = 0) -> Rejection:
    """Return the rejection of a row that is not UTF-8.

    Args:
        error: What decoding raised.
        offset: Bytes of the row that lie before those that were decoded.
    """
    byte = error.object[error.start]
    return (
        RejectReason.INVALID_UTF8,
        f"byte {offset + error.start} of the row is 0x{byte:02x}; convert the source to UTF-8",
    )
