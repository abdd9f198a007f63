"""JSON lines: one object a line; the types are those of the first rows."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from aslbatch.errors import SourceError
from aslbatch.rejects import Rejection
from aslbatch.schema import RejectReason
from aslbatch.shards.columns import check_text_column, has_all_columns, text_value
from aslbatch.shards.formats.content import (
    BOM,
    bounded_lines,
    count_lines,
    open_content,
    read_range,
    split_lines,
)
from aslbatch.shards.formats.json_types import (
    Check,
    compile_check,
    has_empty_struct,
    infer_type,
    merge_types,
    without_nulls,
)
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.formats.text import invalid_utf8
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source

SAMPLE_ROWS = 10_000
_MOST_LEVELS = 100


def scan(source: Source, *, reading: Reading, mark_every: int, limit: int | None) -> Index:
    """Count lines and infer types; see `aslbatch.shards.formats.protocol.Format`."""
    with open_content(source, reading.storage_options) as content:
        rows, offsets = count_lines(content, mark_every=mark_every, limit=limit)
    with open_content(source, reading.storage_options) as content:
        sample = itertools.islice(bounded_lines(content, source.uri), SAMPLE_ROWS)
        schema = _look_at(sample)
    if not schema.names:
        raise SourceError(
            f"{source.uri}: none of the first {SAMPLE_ROWS} lines is a JSON object; "
            "a file that is one JSON document must be rewritten with one object a line"
        )
    empty = [field.name for field in schema if has_empty_struct(field.type)]
    if empty:
        raise SourceError(
            f"{source.uri}: field {empty[0]!r} has only empty objects, which Parquet cannot store; "
            "remove the field from the source"
        )
    filled = pa.schema([field.with_type(without_nulls(field.type)) for field in schema])
    check_text_column(source.uri, filled, reading.text_column)
    return Index(rows, schema, offsets, guessed_types=True)


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Parse lines and check them; see `aslbatch.shards.formats.protocol.Format`."""
    checks = {reading.text_column: compile_check(pa.string())}
    checks |= {field.name: compile_check(field.type) for field in schema}
    refuse_unknown = has_all_columns(schema)
    rows: list[dict[str, Any]] = []
    texts: list[object] = []
    rejects: dict[int, Rejection] = {}
    for row, line in enumerate(split_lines(read_range(piece, reading.storage_options))):
        parsed = _parse(line, may_have_bom=piece.byte_start == row == 0)
        text = None
        if isinstance(parsed, dict):
            fault = _find_fault(parsed, checks, refuse_unknown=refuse_unknown)
            if not fault:
                text, fault = _text_of(parsed, reading.text_column)
            if fault:
                parsed = (RejectReason.INVALID_ROW, fault)
        if isinstance(parsed, dict):
            rows.append(parsed)
        else:
            rows.append({})
            rejects[row] = parsed
        texts.append(text)
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    return RawRows(columns, pa.array(texts, pa.string()), rejects)


def _look_at(lines: Iterable[bytes]) -> pa.Schema:
    """Return the types in a sample, null where it has only nulls.

    Where rows disagree the earlier ones win, so that the types do not depend on how much of the
    file was seen.
    """
    types: dict[str, pa.DataType] = {}
    for number, line in enumerate(lines):
        values = _parse(line, may_have_bom=number == 0)
        if not isinstance(values, dict):
            continue
        for name, value in values.items():
            merged = merge_types(types.get(name, pa.null()), infer_type(value))
            if merged is not None:
                types[name] = merged
    return pa.schema(list(types.items()))


def _parse(line: bytes, *, may_have_bom: bool) -> dict[str, Any] | Rejection:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return invalid_utf8(error)
    if may_have_bom:
        text = text.removeprefix(BOM)
    if not text.strip():
        return RejectReason.EMPTY, "the line is blank"
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            # An escaped half of a surrogate pair is valid JSON, but no text that UTF-8 can hold.
            json.dumps(values, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        fault = f"invalid JSON at character {error.pos}: {error.msg}"
    except UnicodeEncodeError:
        fault = "an escape stands for half a surrogate pair, which is no character"
    except RecursionError:
        fault = "the JSON is nested too deeply"
    except ValueError as error:
        fault = f"invalid JSON: {error}"
    else:
        if not isinstance(values, dict):
            fault = f"the line holds {type(values).__name__}, expected a JSON object"
        elif _is_deep(values):
            fault = f"the JSON is nested deeper than {_MOST_LEVELS} levels"
        else:
            return values
    return RejectReason.INVALID_ROW, f"{fault}; correct the line in the source"


def _find_fault(
    values: dict[str, Any], checks: dict[str, Check], *, refuse_unknown: bool
) -> str | None:
    for name, value in values.items():
        if name in checks:
            if fault := checks[name](value, name):
                return f"{fault}; correct the row, or leave the field out with source.columns"
        elif refuse_unknown:
            return (
                f"field {name!r} ({type(value).__name__}) is unknown: no source has it in its "
                f"first {SAMPLE_ROWS} rows; list the wanted fields in source.columns"
            )
    return None


def _text_of(values: dict[str, Any], name: str) -> tuple[str | None, str | None]:
    """Return the text of a row, or what is wrong with it."""
    try:
        text = text_value(values, name)
    except TypeError as error:
        return None, f"{error}; correct the row"
    if text is None or isinstance(text, str):
        return text, None
    return None, f"field {name!r} is {type(text).__name__}, expected a string; correct the row"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _is_deep(value: object) -> bool:
    """Return whether a value is nested so deeply that recursion over it would not end well."""
    level: list[object] = [value]
    for _ in range(_MOST_LEVELS):
        level = [
            item
            for part in level
            if isinstance(part, dict | list)
            for item in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return False
    return True
