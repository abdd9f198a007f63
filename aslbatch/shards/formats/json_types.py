"""Arrow types for JSON values: find them in a sample, and check later values against them."""

import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa

INT64_BOUND = 2**63
EXACT_IN_DOUBLE = 2**53

Check = Callable[[object, str], str | None]
"""Takes a value and the path of its field; returns what is wrong with it, or None."""


def infer_type(value: object) -> pa.DataType | None:
    """Return the type of a JSON value, or None where it has none, such as a list of mixed kinds."""
    match value:
        case None:
            return pa.null()
        case bool():
            return pa.bool_()
        case int():
            return pa.int64() if -INT64_BOUND <= value < INT64_BOUND else None
        case float():
            return pa.float64()
        case str():
            return pa.string()
        case list():
            items: pa.DataType | None = pa.null()
            for item in value:
                items = merge_types(items, infer_type(item))
            return None if items is None else pa.list_(items)
        case dict():
            fields = [(str(name), infer_type(item)) for name, item in value.items()]
            return None if any(kind is None for _, kind in fields) else pa.struct(fields)
    return None


def merge_types(left: pa.DataType | None, right: pa.DataType | None) -> pa.DataType | None:
    """Return the type that holds values of both, or None where there is none."""
    if left is None or right is None:
        return None
    try:
        return (
            pa.unify_schemas(
                [pa.schema([("", left)]), pa.schema([("", right)])], promote_options="permissive"
            )
            .field(0)
            .type
        )
    except pa.ArrowException:
        return None


def without_nulls(kind: pa.DataType) -> pa.DataType:
    """Replace types of which only nulls were seen by string."""
    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(without_nulls(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(without_nulls(field.type)) for field in kind])
    return kind


def has_empty_struct(kind: pa.DataType) -> bool:
    """Return whether a struct without fields is inside, which Parquet cannot store."""
    if pa.types.is_list(kind):
        return has_empty_struct(kind.value_type)
    return pa.types.is_struct(kind) and (
        kind.num_fields == 0 or any(has_empty_struct(field.type) for field in kind)
    )


def compile_check(kind: pa.DataType) -> Check:
    """Return a function that tells whether a value can be stored as `kind` without change.

    Built once a shard, because looking into Arrow types for every value would take longer than
    parsing it.
    """
    if pa.types.is_struct(kind):
        return _struct_check({field.name: compile_check(field.type) for field in kind})
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _list_check(kind, compile_check(kind.value_type))
    if pa.types.is_boolean(kind):
        return _scalar_check(kind, lambda value: isinstance(value, bool))
    if pa.types.is_integer(kind):
        bits = kind.bit_width - pa.types.is_signed_integer(kind)
        low, high = (-(2**bits) if pa.types.is_signed_integer(kind) else 0), 2**bits
        return _scalar_check(kind, lambda value: type(value) is int and low <= value < high)
    if pa.types.is_float64(kind):
        return _scalar_check(kind, _fits_double)
    if any(is_such(kind) for is_such in _HOLD_STRINGS):
        return _scalar_check(kind, lambda value: isinstance(value, str))
    # A type that only other sources have, in which this one was seen to have nulls.
    return _scalar_check(kind, lambda value: False)


_HOLD_STRINGS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
)


def _fits_double(value: object) -> bool:
    if type(value) is int:
        return abs(value) <= EXACT_IN_DOUBLE
    return isinstance(value, float) and math.isfinite(value)


def _scalar_check(kind: pa.DataType, fits: Callable[[Any], bool]) -> Check:
    def check(value: object, path: str) -> str | None:
        return None if value is None or fits(value) else _misfit(value, path, kind)

    return check


def _list_check(kind: pa.DataType, check_item: Check) -> Check:
    def check(value: object, path: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, list):
            return _misfit(value, path, kind)
        faults = (check_item(item, f"{path}[{i}]") for i, item in enumerate(value))
        return next((fault for fault in faults if fault), None)

    return check


def _struct_check(checks: dict[str, Check]) -> Check:
    def check(value: object, path: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            return f"field {path!r} is {_kind_of(value)}, expected struct"
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            if name not in checks:
                return f"field {inner!r} ({_kind_of(item)}) is unknown"
            if fault := checks[name](item, inner):
                return fault
        return None

    return check


def _misfit(value: object, path: str, kind: pa.DataType) -> str:
    shown = f" {value}"[:30] if isinstance(value, int | float) else ""
    return f"field {path!r} is {_kind_of(value)}{shown}, expected {kind}"


def _kind_of(value: object) -> str:
    """Name the type of a value without its inner types, which may be long."""
    match value:
        case list():
            return "list"
        case dict():
            return "struct"
        case int() if not isinstance(value, bool) and abs(value) >= INT64_BOUND:
            return "an integer beyond int64"
    return str(infer_type(value))
