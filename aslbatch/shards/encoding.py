"""Tables as the bytes of a published file and back: Parquet, or JSON lines.

Equal rows give equal bytes, however the table was put together. Whatever reads a published file
reads it through `decode`, which goes by the file's name.
"""

import io
from dataclasses import dataclass

import pyarrow as pa

from aslbatch.shards.json_lines import table_from_lines, table_to_lines
from aslbatch.shards.parquet_bytes import table_from_parquet, table_to_parquet

PARQUET = "parquet"
JSONL = "jsonl"

_READ_BYTES = 1 << 20
_WRITTEN_AS_DICTIONARIES = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


@dataclass(frozen=True, slots=True)
class Encoding:
    """How tables become files.

    Attributes:
        format: `parquet` or `jsonl`.
        compression: `zstd`, `snappy` (of Parquet only) or `none`.
    """

    format: str
    compression: str

    @property
    def suffix(self) -> str:
        """The ending of file names, with its dot."""
        if self.format == PARQUET:
            return ".parquet"
        return ".jsonl" if self.compression == "none" else ".jsonl.zst"

    def encode(self, table: pa.Table) -> bytes:
        """Return the table as the bytes of a file."""
        table = _canonical(table)
        if self.format == PARQUET:
            return table_to_parquet(table, compression=self.compression)
        lines = table_to_lines(table)
        return lines if self.compression == "none" else _compressed(lines)


def decode(name: str, data: bytes, schema: pa.Schema) -> pa.Table:
    """Read what `Encoding.encode` wrote.

    Args:
        name: The file's name, the ending of which tells its encoding.
        data: Its bytes.
        schema: The columns wanted, and the types that they had.

    Returns:
        A table with just these columns, in this order and of these types.

    Raises:
        pa.ArrowException: The bytes are no such file, or it has other columns.
        ValueError: A line is no JSON.
    """
    if name.endswith(".parquet"):
        return table_from_parquet(data, schema)
    buffer = pa.BufferReader(data)
    stream = pa.CompressedInputStream(buffer, "zstd") if name.endswith(".zst") else buffer
    return table_from_lines(io.BufferedReader(stream, _READ_BYTES), schema)


def _compressed(data: bytes) -> bytes:
    compressed: bytes = pa.Codec("zstd", compression_level=3).compress(data, asbytes=True)
    return compressed


def _canonical(table: pa.Table) -> pa.Table:
    """Return the table in one chunk, with dictionaries in the order in which their values come."""
    whole = table.unify_dictionaries().combine_chunks()
    columns = [_in_order(column) for column in whole.columns]
    return pa.table(columns, schema=table.schema)


def _in_order(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    # Parquet and JSON lines keep no dictionary of other values, such as numbers.
    if not pa.types.is_dictionary(kind) or kind.value_type not in _WRITTEN_AS_DICTIONARIES:
        return column
    return column.cast(kind.value_type).combine_chunks().dictionary_encode().cast(kind)
