"""Which columns a job keeps: unify the schemas of all sources, and check the text column."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from aslbatch.errors import SourceError
from aslbatch.schema import AUDIT, DETAIL, REASON, RESERVED_COLUMNS, TEXT
from aslbatch.shards.formats.json_types import without_nulls

_MODE_KEY = b"aslbatch.columns"


def check_text_column(uri: str, schema: pa.Schema, text_column: str) -> tuple[str, ...]:
    """Check that a source has the text column, and that it holds strings.

    Returns:
        Its path, as `find_text` has it.

    Raises:
        SourceError: It is missing, of another type, or two columns have the same name.
    """
    doubled = [name for name, count in Counter(schema.names).items() if count > 1]
    if doubled:
        raise SourceError(f"{uri}: more than one column is named {doubled[0]!r}; rename one")
    found = find_text(schema, text_column)
    if found is None:
        raise SourceError(
            f"{uri}: there is no column {text_column!r}; "
            f"set source.text_column to one of {', '.join(map(repr, _column_names(schema)))}"
        )
    path, kind = found
    if not _is_string(kind.value_type if pa.types.is_dictionary(kind) else kind):
        raise SourceError(
            f"{uri}: column {text_column!r} is {_shown(kind)}, expected string; "
            "map another column with source.text_column"
        )
    return path


def find_text(
    fields: pa.Schema | pa.StructType, name: str
) -> tuple[tuple[str, ...], pa.DataType] | None:
    """Return the path and the type of a text column, or None where there is none.

    A column of just that name wins. Else `translation.en` is the field `en` of the structs in the
    column `translation`, and so on for structs in structs.
    """
    if fields.get_field_index(name) >= 0:
        return (name,), fields.field(name).type
    for dot in (position for position, letter in enumerate(name) if letter == "."):
        index = fields.get_field_index(name[:dot])
        if index >= 0 and pa.types.is_struct(fields.field(index).type):
            inner = find_text(fields.field(index).type, name[dot + 1 :])
            if inner:
                return (name[:dot], *inner[0]), inner[1]
    return None


def text_array(column: pa.ChunkedArray, fields: Sequence[str]) -> pa.Array:
    """Return texts as one array of strings, null where a struct on the way is null.

    Args:
        column: The column that the path of `find_text` begins with.
        fields: The rest of that path.
    """
    for field in fields:
        column = pc.struct_field(column, field)
    texts = column.cast(pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def text_value(values: Mapping[str, Any], name: str) -> object:
    """Return the text in a row of plain Python values, found as `find_text` does; None if absent.

    Raises:
        TypeError: Something else stands where an object with the text is expected.
    """
    if name in values:
        return values[name]
    for dot in (position for position, letter in enumerate(name) if letter == "."):
        inner = values.get(name[:dot])
        if isinstance(inner, Mapping):
            return text_value(inner, name[dot + 1 :])
        if inner is not None:
            raise TypeError(f"field {name[:dot]!r} is {type(inner).__name__}, expected an object")
    return None


def keep_columns(
    schemas: Sequence[tuple[str, pa.Schema]],
    columns: Literal["all"] | Sequence[str],
    *,
    guessed: Collection[str] = (),
    reserved: Collection[str] = RESERVED_COLUMNS,
    allow_reserved: bool = False,
) -> pa.Schema:
    """Unify the schemas of all sources and keep the columns that the job asks for.

    Types are kept as they are where all sources agree; where they do not, the narrower is
    promoted to the wider one, such as int32 to int64. A column that a source lacks is null there.

    Args:
        schemas: URI and schema of each source.
        columns: `all`, or names in the order wanted.
        guessed: Columns of guessed types: what is null in all sources becomes string there.
        reserved: Names that the job gives to columns of its own.
        allow_reserved: Accept names that aslbatch itself writes, to read what it wrote.

    Returns:
        Nullable fields without metadata, as rejected rows may have nulls anywhere.

    Raises:
        SourceError: Types cannot be unified, a column asked for does not exist, or a name is one
            that aslbatch itself writes and that is not allowed.
    """
    unified: dict[str, tuple[str, pa.DataType]] = {}
    for uri, schema in schemas:
        for field in schema:
            if columns == "all" or field.name in columns:
                first = unified.setdefault(field.name, (uri, field.type))
                kind = _unify(field.name, first, (uri, field.type))
                unified[field.name] = (first[0] if kind == first[1] else uri, kind)
    names = list(unified) if columns == "all" else list(dict.fromkeys(columns))
    if unknown := [name for name in names if name not in unified]:
        present = dict.fromkeys(name for _, schema in schemas for name in schema.names)
        raise SourceError(
            f"source.columns: no source has {', '.join(map(repr, unknown))}; "
            f"the columns there are: {', '.join(map(repr, present))}"
        )
    own = {*reserved, TEXT, REASON, DETAIL, AUDIT}
    if not allow_reserved and (clashes := [name for name in names if name in own]):
        raise SourceError(
            f"columns {', '.join(map(repr, clashes))} of {unified[clashes[0]][0]} have names that "
            "aslbatch gives to its own columns; leave them out with source.columns, which "
            "source.text_column need not be among, or rename them"
        )
    mode = b"all" if columns == "all" else b"listed"
    kinds = {name: unified[name][1] for name in names}
    kinds |= {name: without_nulls(kinds[name]) for name in names if name in guessed}
    return pa.schema(list(kinds.items()), metadata={_MODE_KEY: mode})


def has_all_columns(schema: pa.Schema) -> bool:
    """Return whether a schema of `keep_columns` stands for all columns, not for a chosen few."""
    return (schema.metadata or {}).get(_MODE_KEY) != b"listed"


def _unify(
    name: str, first: tuple[str, pa.DataType], other: tuple[str, pa.DataType]
) -> pa.DataType:
    if first[1] == other[1]:
        return first[1]
    try:
        both = [pa.schema([(name, kind)]) for _, kind in (first, other)]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except pa.ArrowException as error:
        raise SourceError(
            f"column {name!r} is {first[1]} in {first[0]}, but {other[1]} in {other[0]}; "
            "convert one, leave the column out with source.columns, or run them as two jobs"
        ) from error


def _is_string(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _column_names(fields: pa.Schema | pa.StructType, before: str = "") -> Iterator[str]:
    """Yield the names of columns; of a struct, those of the strings in it."""
    for field in fields:
        if pa.types.is_struct(field.type):
            yield from _column_names(field.type, f"{before}{field.name}.")
        elif not before or _is_string(field.type):
            yield f"{before}{field.name}"


def _shown(kind: pa.DataType) -> str:
    """Return a type as text; of a struct, the names of its strings, any of which may be meant."""
    if not pa.types.is_struct(kind):
        return str(kind)
    names = ", ".join(f".{name}" for name in _column_names(kind))
    return f"struct with {names}" if names else "struct"
