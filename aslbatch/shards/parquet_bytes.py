"""A table as a Parquet file that is small, and from which a filter reads only what it needs.

Columns whose values repeat are dictionary-encoded; whole numbers and floats that do not are stored
as differences and as split bytes. Row groups are small and have statistics and a page index, by
which DuckDB, Ray and others skip those that a filter excludes.
"""

from collections import Counter
from collections.abc import Container

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslbatch.schema import SOURCE_ROW

ROW_GROUP_ROWS = 32_768
"""Rows of a row group: what a filter skips or reads as a whole."""

_REPEATS = 4
_ZSTD_LEVEL = 3


def table_to_parquet(table: pa.Table, *, compression: str) -> bytes:
    """Return a table in one chunk as the bytes of a Parquet file.

    Args:
        table: The rows.
        compression: A codec of Parquet, `none` for none.
    """
    repeating = {name for name in table.column_names if _repeats(table[name])}
    leaves = _leaves(table.schema)
    buffer = pa.BufferOutputStream()
    pq.write_table(
        table,
        buffer,
        version="2.6",
        compression=compression,
        compression_level=_ZSTD_LEVEL if compression == "zstd" else None,
        row_group_size=ROW_GROUP_ROWS,
        write_page_index=True,
        use_dictionary=[leaf for leaf, name in leaves.items() if name in repeating],
        column_encoding=_encodings(table.schema, leaves, repeating),
        sorting_columns=_sorting(table),
    )
    data: bytes = buffer.getvalue().to_pybytes()
    return data


def table_from_parquet(data: bytes, schema: pa.Schema) -> pa.Table:
    """Read the columns of a schema from what `table_to_parquet` wrote.

    Raises:
        pa.ArrowException: The bytes are no Parquet file, or it has other columns.
    """
    # Not pq.read_table: threads of its own still hold the bytes when Python ends, and abort it.
    file = pq.ParquetFile(pa.BufferReader(data))
    whole = set(schema.names) == set(file.schema_arrow.names)
    try:
        table = file.read(columns=None if whole else schema.names).select(schema.names)
    except KeyError as error:
        raise pa.ArrowKeyError(f"no such column: {error}") from error
    for index, field in enumerate(schema):
        # Parquet gives dictionaries back for strings only.
        if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(
            table.field(index).type
        ):
            column = table.column(index).cast(field.type.value_type).dictionary_encode()
            table = table.set_column(index, field.name, column)
    return table.cast(schema)


def without_parquet(schema: pa.Schema) -> list[pa.Field]:
    """Return the fields whose values Parquet cannot hold, which only writing them tells."""
    return [field for field in schema if not _has_parquet(field.type)]


def _has_parquet(kind: pa.DataType) -> bool:
    # Without a row any dictionary passes; with one, structs do not whose fields must not be null.
    rows = 1 if pa.types.is_dictionary(kind) else 0
    try:
        pq.write_table(pa.table({"x": pa.nulls(rows, kind)}), pa.BufferOutputStream())
    except pa.ArrowException:
        return False
    return True


def _repeats(column: pa.ChunkedArray) -> bool:
    """Return whether a dictionary pays: the values come several times each.

    Each row group has a dictionary of its own, so that one of them tells.
    """
    kind, some = column.type, column.slice(0, ROW_GROUP_ROWS)
    if pa.types.is_dictionary(kind) or pa.types.is_nested(kind):
        return True
    try:
        return bool(pc.count_distinct(some).as_py() * _REPEATS <= len(some))
    except pa.ArrowNotImplementedError:
        return True


def _leaves(schema: pa.Schema) -> dict[str, str]:
    """Return the paths of Parquet columns, each with the column of the table it is part of.

    A field `b` of a struct `a` has the path of a column `a.b`: where both are there, neither can
    be told how to be encoded, and the path is left out.
    """
    buffer = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), buffer)
    columns = pq.ParquetFile(pa.BufferReader(buffer.getvalue())).schema
    paths = [columns.column(index).path for index in range(len(columns))]
    return {
        path: path if path in schema.names else path.partition(".")[0]
        for path, count in Counter(paths).items()
        if count == 1
    }


def _encodings(schema: pa.Schema, leaves: Container[str], repeating: set[str]) -> dict[str, str]:
    """Return encodings for numbers that do not repeat, under which they compress well."""
    found = {}
    for field in schema:
        if field.name in repeating or field.name not in leaves:
            continue
        if pa.types.is_integer(field.type):
            found[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_float32(field.type) or pa.types.is_float64(field.type):
            found[field.name] = "BYTE_STREAM_SPLIT"
    return found


def _sorting(table: pa.Table) -> tuple[pq.SortingColumn, ...] | None:
    """Return what to say of the order of rows: that of `source_row`, if it is one."""
    if SOURCE_ROW.name not in table.column_names or table.num_rows == 0:
        return None
    rows = table[SOURCE_ROW.name].to_numpy()
    if not bool(np.all(rows[1:] > rows[:-1])):
        return None
    ordering = [(SOURCE_ROW.name, "ascending")]
    order: tuple[pq.SortingColumn, ...] = pq.SortingColumn.from_ordering(table.schema, ordering)
    return order
