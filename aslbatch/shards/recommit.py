"""Replacing a committed shard after its failed rows were translated again.

The new files have names of their own, and the new record replaces the old one in one step. So
whenever a retry is killed, the record that is there names files that are whole.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aslbatch.schema import (
    DETAIL,
    REASON,
    REJECT_REASON,
    SOURCE_ROW,
    SOURCE_URI,
    RejectReason,
    label_fields,
    translation_fields,
)
from aslbatch.shards.commits import Commit, commit_shard, read_commit
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.positions import positions
from aslbatch.shards.published import PublishedFile, read_whole, rows_of
from aslbatch.shards.shard import Shard
from aslbatch.storage.folder import Storage

_FAILURES = pa.array([reason.value for reason in RejectReason if reason.is_failure])
_TAGS = {
    field.name
    for field in (*translation_fields(alternatives=True), *label_fields())
    if pa.types.is_dictionary(field.type)
} | {REASON, DETAIL}


def only_failed(table: pa.Table, shard: Shard, storage: Storage) -> pa.Table:
    """Return those rows of a shard that an output folder holds as failed."""
    record = read_commit(storage, shard.name)
    if record.rejected is None:
        return table.slice(0, 0)
    rejected = _read(storage, record.rejected, pa.schema([SOURCE_URI, SOURCE_ROW, REJECT_REASON]))
    reasons = rejected["reject_reason"].cast(pa.string())
    failed = rejected.filter(pc.is_in(reasons, value_set=_FAILURES))
    return table.filter(np.isin(positions(shard, table), positions(shard, failed)))


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
    old = read_commit(storage, shard.name)
    parts = [table, _without(_read(storage, old.data, output.data_schema), table, shard)]
    if old.rejected is not None:
        rest = _without(_read(storage, old.rejected, output.rejected_schema), table, shard)
        names = {"reject_reason": REASON, "reject_detail": DETAIL}
        parts.append(rest.rename_columns([names.get(name, name) for name in rest.column_names]))
    merged = pa.concat_tables(map(_plain, parts), promote_options="default")
    record = commit_shard(
        shard,
        merged.take(np.argsort(positions(shard, merged))),
        storage=storage,
        output=output,
        run_id=run_id,
        replaces=old,
    )
    for file in old.files:
        if not file.is_shared:  # other shards need it; the end of the run takes care of it
            storage.delete(file.name)
    return record


def _read(storage: Storage, file: PublishedFile, schema: pa.Schema) -> pa.Table:
    return rows_of(file, read_whole(storage, file, schema))


def _without(table: pa.Table, others: pa.Table, shard: Shard) -> pa.Table:
    """Return the rows of a table that another one does not hold."""
    return table.filter(~np.isin(positions(shard, table), positions(shard, others)))


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with nullable fields and plain strings, so that parts fit together."""
    return table.cast(
        pa.schema(
            (field.name, pa.string() if field.name in _TAGS else field.type)
            for field in table.schema
        )
    )
