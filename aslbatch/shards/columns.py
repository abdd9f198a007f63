"""Which columns a job keeps: unify the schemas of all sources, and check the text column."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import pyarrow as pa

from aslbatch.errors import SourceError
from aslbatch.schema import DETAIL, REASON, RESERVED_COLUMNS, TEXT

_MODE_KEY = b"aslbatch.columns"


def check_text_column(uri: str, schema: pa.Schema, text_column: str) -> None:
    """Check that a source has the text column, and that it holds strings.

    Raises:
        SourceError: It is missing, of another type, or two columns have the same name.
    """
    doubled = [name for name, count in Counter(schema.names).items() if count > 1]
    if doubled:
        raise SourceError(f"{uri}: more than one column is named {doubled[0]!r}; rename one")
    if text_column not in schema.names:
        raise SourceError(
            f"{uri}: there is no column {text_column!r}; "
            f"set source.text_column to one of {', '.join(map(repr, schema.names))}"
        )
    kind = schema.field(text_column).type
    if not _is_string(kind.value_type if pa.types.is_dictionary(kind) else kind):
        raise SourceError(
            f"{uri}: column {text_column!r} is {kind}, expected string; "
            "map another column with source.text_column"
        )


def keep_columns(
    schemas: Sequence[tuple[str, pa.Schema]], columns: Literal["all"] | Sequence[str]
) -> pa.Schema:
    """Unify the schemas of all sources and keep the columns that the job asks for.

    Types are kept as they are where all sources agree; where they do not, the narrower is
    promoted to the wider one, such as int32 to int64. A column that a source lacks is null there.

    Args:
        schemas: URI and schema of each source.
        columns: `all`, or names in the order wanted.

    Returns:
        Nullable fields without metadata, as rejected rows may have nulls anywhere.

    Raises:
        SourceError: Types cannot be unified, a column asked for does not exist, or a name is one
            that aslbatch itself writes.
    """
    unified: dict[str, tuple[str, pa.DataType]] = {}
    for uri, schema in schemas:
        for field in schema:
            if columns == "all" or field.name in columns:
                first = unified.setdefault(field.name, (uri, field.type))
                unified[field.name] = (first[0], _unify(field.name, first, (uri, field.type)))
    names = list(unified) if columns == "all" else list(dict.fromkeys(columns))
    if unknown := [name for name in names if name not in unified]:
        present = dict.fromkeys(name for _, schema in schemas for name in schema.names)
        raise SourceError(
            f"source.columns: no source has {', '.join(map(repr, unknown))}; "
            f"the columns there are: {', '.join(map(repr, present))}"
        )
    reserved = RESERVED_COLUMNS | {TEXT, REASON, DETAIL}
    if clashes := [name for name in names if name in reserved]:
        raise SourceError(
            f"columns {', '.join(map(repr, clashes))} of {unified[clashes[0]][0]} have names that "
            "aslbatch gives to its own columns; leave them out with source.columns, or rename them"
        )
    mode = b"all" if columns == "all" else b"listed"
    return pa.schema([(name, unified[name][1]) for name in names], metadata={_MODE_KEY: mode})


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
