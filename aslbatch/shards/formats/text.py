"""Plain text: every line is a row, blank ones too, so that row numbers are line numbers."""

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
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source


def scan(source: Source, *, reading: Reading, mark_every: int, limit: int | None) -> Index:
    """Count the lines of a text file; see `aslbatch.shards.formats.protocol.Format`."""
    with open_content(source, reading.storage_options) as content:
        rows, offsets = count_lines(content, mark_every=mark_every, limit=limit)
    schema = pa.schema([(reading.text_column, pa.string())])
    return Index(rows, schema, offsets)


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Read lines; see `aslbatch.shards.formats.protocol.Format`."""
    texts: list[str | None] = []
    rejects: dict[int, Rejection] = {}
    for row, line in enumerate(split_lines(read_range(piece, reading.storage_options))):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            rejects[row] = invalid_utf8(error)
            texts.append(None)
        else:
            texts.append(text.removeprefix(BOM) if piece.byte_start == row == 0 else text)
    text_array = pa.array(texts, pa.string())
    columns = [
        text_array.cast(field.type)
        if field.name == reading.text_column
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
