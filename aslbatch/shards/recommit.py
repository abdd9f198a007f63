"""Replacing a committed shard after its failed rows were translated again.

Both steps look at the rows that lie there, not at the record, so that a retry that dies between
two files is mended by the next one: rows are put together by `source_row`, each once.
"""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslbatch.schema import DETAIL, REASON, RejectReason, translation_fields
from aslbatch.shards.commits import Commit, OutputFormat, commit_shard, read_commit
from aslbatch.shards.layout import data_file, rejected_file
from aslbatch.shards.plan import Shard
from aslbatch.shards.storage import Storage

_TAGS = {f.name for f in translation_fields(alternatives=True) if pa.types.is_dictionary(f.type)}
_FAILURES = [reason.value for reason in RejectReason if reason.is_failure]


def only_failed(table: pa.Table, shard: Shard, storage: Storage) -> pa.Table:
    """Return those rows of a shard that an output folder holds as failed."""
    rejected = _read(storage, rejected_file(shard.name))
    if rejected is None:
        return table.slice(0, 0)
    failed = rejected.filter(_is_failure(rejected["reject_reason"]))
    return table.filter(pc.is_in(table["source_row"], value_set=_rows(failed)))


def recommit_shard(
    shard: Shard, table: pa.Table, *, storage: Storage, output: OutputFormat, run_id: str
) -> Commit:
    """Publish a committed shard anew, some of its rows replaced.

    Args:
        shard: The plan's entry.
        table: The rows that were translated again.
        storage: The output folder.
        output: What the files look like.
        run_id: The run that the shard belongs to.

    Returns:
        The new record, one generation up.

    Raises:
        IncompleteRunError: The rows there and the new ones are not the shard's.
        SinkError: A file cannot be written.
    """
    parts = [table]
    if (data := _read(storage, data_file(shard.name))) is not None:
        parts.append(_without(data, table))
    if (rejected := _read(storage, rejected_file(shard.name))) is not None:
        rest = _without(_without(rejected, table), data)
        names = {"reject_reason": REASON, "reject_detail": DETAIL}
        rest = rest.rename_columns([names.get(name, name) for name in rest.column_names])
        parts.append(rest)
    merged = pa.concat_tables(map(_plain, parts), promote_options="default")
    return commit_shard(
        shard,
        merged.sort_by("source_row"),
        storage=storage,
        output=output,
        run_id=run_id,
        generation=read_commit(storage, shard.name).generation + 1,
    )


def _read(storage: Storage, name: str) -> pa.Table | None:
    try:
        return pq.read_table(io.BytesIO(storage.read(name)))
    except FileNotFoundError:
        return None


def _is_failure(reasons: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(reasons.cast(pa.string()), value_set=pa.array(_FAILURES))


def _rows(table: pa.Table) -> pa.Array:
    return table["source_row"].combine_chunks()


def _without(table: pa.Table, others: pa.Table | None) -> pa.Table:
    """Return the rows of a table that another one does not hold."""
    if others is None:
        return table
    return table.filter(pc.invert(pc.is_in(table["source_row"], value_set=_rows(others))))


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with nullable fields and plain strings, so that parts fit together."""
    fields = [
        pa.field(
            field.name,
            pa.string() if field.name in _TAGS | {REASON, DETAIL} else field.type,
        )
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
