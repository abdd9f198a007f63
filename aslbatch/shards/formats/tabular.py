"""Rows of a piece out of an Arrow table that a file holds, checked before they are looked at."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from aslbatch.errors import SourceError
from aslbatch.rejects import Rejection
from aslbatch.shards.columns import text_array
from aslbatch.shards.formats.protocol import RawRows
from aslbatch.shards.formats.text import invalid_utf8
from aslbatch.shards.shard import Piece

_AS_BYTES = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}


def wanted_columns(present: pa.Schema, schema: pa.Schema, text_path: Sequence[str]) -> list[str]:
    """Return the top-level columns that a piece needs of a file, the text's among them."""
    names = [name for name in schema.names if name in present.names]
    return names if text_path[0] in names else [*names, text_path[0]]


def raw_rows(
    piece: Piece, table: pa.Table, *, schema: pa.Schema, text_path: Sequence[str]
) -> RawRows:
    """Return the rows of a piece.

    Arrow checks neither that strings are UTF-8 nor, in its own files, that offsets point into their
    column: reading on could crash the process. A row with a string that is not UTF-8 is rejected.

    Args:
        piece: The piece.
        table: Its rows, with at least the columns of `wanted_columns`.
        schema: The columns to keep and their types.
        text_path: Where the text lies.

    Raises:
        pyarrow.ArrowException: A column is damaged, or there are fewer rows than were counted.
        SourceError: A column cannot be converted to the type that it has in other sources.
    """
    if table.num_rows != piece.rows:
        raise pa.ArrowInvalid(f"{table.num_rows} rows where it says there are {piece.rows}")
    rejects: dict[int, Rejection] = {}
    columns = {}
    for name in table.column_names:
        columns[name], faults = _checked(table.column(name))
        for row, (reason, detail) in faults.items():
            where = "" if (name,) == tuple(text_path) else f"column {name!r}: "
            rejects.setdefault(row, (reason, f"{where}{detail}"))
    kept = [
        _as_type(piece, columns[field.name], field)
        if field.name in columns
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    text = text_array(columns[text_path[0]], text_path[1:])
    if rejects:
        is_good = pa.array([row not in rejects for row in range(len(text))])
        text = pc.if_else(is_good, text, None)
    return RawRows(kept, text, rejects)


def _checked(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, dict[int, Rejection]]:
    """Return a column that is safe to look at, and the rows that had to be made null for it."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        viewed = [chunk.view(_as_bytes(column.type)) for chunk in column.chunks]
        for chunk in viewed:
            chunk.validate(full=True)
    else:
        return column, {}
    faults: dict[int, Rejection] = {}
    values = (value for chunk in viewed for value in chunk.to_pylist())
    for row, value in enumerate(values):
        try:
            _decode(value, column.type)
        except UnicodeDecodeError as error:
            faults[row] = invalid_utf8(error)
    rows = [None if row in faults else row for row in range(len(column))]
    checked = column.take(pa.array(rows, pa.int64()))
    checked.validate(full=True)  # below a null there may be more, which has no row to reject
    return checked, faults


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    """Return the type with which strings are looked at without being taken for UTF-8."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_as_bytes(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_as_bytes(kind.value_type)))
    return _AS_BYTES.get(kind, kind)


def _decode(value: object, kind: pa.DataType) -> None:
    """Decode all strings in a value that was looked at as `_as_bytes` has it.

    Raises:
        UnicodeDecodeError: One is not UTF-8.
    """
    if isinstance(value, bytes) and kind in _AS_BYTES:
        value.decode()
    elif isinstance(value, dict):
        for field in kind:
            _decode(value[field.name], field.type)
    elif isinstance(value, list):
        for item in value:
            _decode(item, kind.value_type)


def _as_type(piece: Piece, column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        raise SourceError(
            f"{piece.source.uri} rows {piece.row_start} to {piece.row_start + piece.rows - 1}: "
            f"column {field.name!r} cannot be converted to {field.type}, which other sources have: "
            f"{error}; leave the column out with source.columns, or run them as two jobs"
        ) from error
