"""Read one shard into a table: the kept source columns, the text, and where each row is from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from aslbatch.errors import DamagedSourceError, SourceError
from aslbatch.schema import DETAIL, REASON, SOURCE_ROW, SOURCE_URI, TEXT, RejectReason
from aslbatch.shards.formats.content import readable
from aslbatch.shards.formats.protocol import RawRows
from aslbatch.shards.formats.registry import FORMATS
from aslbatch.shards.shard import Shard
from aslbatch.shards.sources import fingerprint


def read_shard(
    shard: Shard, *, schema: pa.Schema, text_column: str, storage_options: Mapping[str, Any]
) -> pa.Table:
    """Read exactly the rows of a shard, in order.

    Args:
        shard: A shard of the plan.
        schema: The plan's schema: the source columns to keep.
        text_column: Name of the column to translate.
        storage_options: Passed to fsspec.

    Returns:
        The source columns as `schema` has them, null where a row cannot be parsed; then `_text`
        (string, null where rejected), `source_uri`, `source_row` (int64, from 0), and
        `_reject_reason` and `_reject_detail` (string, null where the row is good). Where the bytes
        of the shard cannot be decoded, all of its rows are rejected as `unreadable`.

    Raises:
        SourceError: The source cannot be opened, or changed since the plan was made.
    """
    _check_unchanged(shard, storage_options)
    try:
        raw = FORMATS[shard.format].read(
            shard, schema=schema, text_column=text_column, storage_options=storage_options
        )
    except DamagedSourceError as error:
        raw = _unreadable(shard, schema, error.message)
    # Checked again, since a source that is replaced while it is read may give parts of both.
    _check_unchanged(shard, storage_options)
    if len(raw.text) != shard.rows:
        raise SourceError(
            f"{shard.uri}: {shard.name} has {len(raw.text)} rows, planned were {shard.rows}; "
            "the file changed since the plan was made: bring it back, or plan again (--overwrite)"
        )
    return _to_table(shard, raw, schema, text_column)


def _unreadable(shard: Shard, schema: pa.Schema, detail: str) -> RawRows:
    """Return a shard of which nothing can be read: every row is rejected, none is missing."""
    return RawRows(
        columns=[pa.nulls(shard.rows, field.type) for field in schema],
        text=pa.nulls(shard.rows, pa.string()),
        rejects=dict.fromkeys(range(shard.rows), (RejectReason.UNREADABLE, detail)),
    )


def _check_unchanged(shard: Shard, storage_options: Mapping[str, Any]) -> None:
    with readable(shard.uri):
        size, version = fingerprint(shard.path, storage_options)
    if (size, version) != (shard.source_size, shard.source_version):
        raise SourceError(
            f"{shard.uri} changed since the plan was made: it had {shard.source_size} bytes and "
            f"version {shard.source_version}, now {size} bytes and version {version}; "
            "bring the file back, or plan again (--overwrite)"
        )


def _to_table(shard: Shard, raw: RawRows, schema: pa.Schema, text_column: str) -> pa.Table:
    rejects = dict(raw.rejects)
    for row in np.flatnonzero(raw.text.is_null().to_numpy(zero_copy_only=False)).tolist():
        rejects.setdefault(row, (RejectReason.EMPTY, f"column {text_column!r} is null"))
    reasons: list[str | None] = [None] * shard.rows
    details: list[str | None] = [None] * shard.rows
    for row, (reason, detail) in rejects.items():
        reasons[row], details[row] = reason.value, detail
    uri = pa.DictionaryArray.from_arrays(pa.array(np.zeros(shard.rows, np.int32)), [shard.uri])
    row_numbers = pa.array(np.arange(shard.row_start, shard.row_start + shard.rows))
    return pa.table(
        [
            *raw.columns,
            raw.text,
            uri,
            row_numbers,
            pa.array(reasons, pa.string()),
            pa.array(details, pa.string()),
        ],
        schema=pa.schema(
            [
                *schema,
                (TEXT, pa.string()),
                SOURCE_URI,
                SOURCE_ROW,
                (REASON, pa.string()),
                (DETAIL, pa.string()),
            ]
        ),
    )
