"""Rejecting rows of a table: a reason and a detail instead of a text."""

from collections.abc import Sequence

import pyarrow as pa

from aslbatch.schema import DETAIL, REASON, RejectReason

Rejection = tuple[RejectReason, str]
"""Why a row cannot be used: the reason, and a detail that says what to do."""


def rejections(table: pa.Table) -> list[Rejection | None]:
    """Return the rejection of each row, None where it is not rejected."""
    reasons, details = table[REASON].to_pylist(), table[DETAIL].to_pylist()
    return [
        None if reason is None else (RejectReason(reason), detail)
        for reason, detail in zip(reasons, details, strict=True)
    ]


def with_rejections(table: pa.Table, found: Sequence[Rejection | None]) -> pa.Table:
    """Return the table with these rejections in place of its own."""
    reasons = pa.array([row and row[0].value for row in found], pa.string())
    details = pa.array([row and row[1] for row in found], pa.string())
    return set_column(set_column(table, REASON, reasons), DETAIL, details)


def set_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """Return the table with a column of this name replaced, or appended."""
    index = table.schema.get_field_index(name)
    if index < 0:
        return table.append_column(name, values)
    return table.set_column(index, name, values)
