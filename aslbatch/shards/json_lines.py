"""A table as JSON lines: one object a line, in UTF-8, its keys in the order of the columns.

JSON has no NaN and no infinity, so such numbers become null. What JSON has no word for at all is
refused by `without_json` before any work starts.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import pyarrow as pa

_BATCH_ROWS = 8_192


def table_to_lines(table: pa.Table) -> bytes:
    """Return a table as JSON lines, each ended by a newline."""
    clean = {field.name: _finite for field in table.schema if _has_floats(field.type)}
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    chunks = []
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        rows = batch.to_pylist()
        for name, make_finite in clean.items():
            for row in rows:
                row[name] = make_finite(row[name])
        chunks.append("".join(f"{encode(row)}\n" for row in rows).encode())
    return b"".join(chunks)


def table_from_lines(lines: Iterable[bytes], schema: pa.Schema) -> pa.Table:
    """Read the columns of a schema from the lines that `table_to_lines` wrote.

    Raises:
        pa.ArrowException: A value is not of the column's type.
        ValueError: A line is no JSON.
    """
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    batches = list(_batches(map(json.loads, lines), nullable))
    table = pa.Table.from_batches(batches, nullable).unify_dictionaries().combine_chunks()
    return _with_nans(table, schema).cast(schema)


def without_json(schema: pa.Schema) -> list[pa.Field]:
    """Return the fields whose values JSON cannot hold."""
    return [field for field in schema if not _has_json(field.type)]


def _batches(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while part := list(islice(rows, _BATCH_ROWS)):
        yield pa.RecordBatch.from_pylist(part, schema)


def _with_nans(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Put NaN back where a number must not be null, such as `score`."""
    for index, field in enumerate(schema):
        if not field.nullable and pa.types.is_floating(field.type):
            filled = table.column(index).fill_null(math.nan)
            table = table.set_column(index, table.field(index), filled)
    return table


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case list():
            return [_finite(item) for item in value]
        case dict():
            return {name: _finite(item) for name, item in value.items()}
    return value


def _has_floats(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or any(map(_has_floats, _parts(kind)))


def _has_json(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    parts = _parts(kind)
    if parts or pa.types.is_struct(kind):
        return all(map(_has_json, parts))
    return any(is_such(kind) for is_such in _PLAIN)


def _parts(kind: pa.DataType) -> list[pa.DataType]:
    """Return the types inside of a list or struct, none for any other type."""
    if pa.types.is_struct(kind):
        return [field.type for field in kind]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [kind.value_type]
    return []


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


_PLAIN: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    _is_text,
)
