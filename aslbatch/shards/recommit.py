"""Replacing a committed shard after its failed rows were translated again.

The new files have names of their own, and the new record replaces the old one in one step. So
whenever a retry is killed, the record that is there names files that are whole.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslbatch.errors import IncompleteRunError
from aslbatch.schema import DETAIL, REASON, RejectReason, translation_fields
from aslbatch.shards.commits import Commit, OutputFormat, PublishedFile, commit_shard, read_commit
from aslbatch.shards.positions import positions
from aslbatch.shards.shard import Shard
from aslbatch.shards.storage import Storage

_FAILURES = pa.array([reason.value for reason in RejectReason if reason.is_failure])
_TAGS = {
    field.name
    for field in translation_fields(alternatives=True)
    if pa.types.is_dictionary(field.type)
} | {REASON, DETAIL}


def only_failed(table: pa.Table, shard: Shard, storage: Storage) -> pa.Table:
    """Return those rows of a shard that an output folder holds as failed."""
    record = read_commit(storage, shard.name)
    if record.rejected is None:
        return table.slice(0, 0)
    rejected = _read(storage, record.rejected)
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
    parts = [table, _without(_read(storage, old.data), table, shard)]
    if old.rejected is not None:
        rest = _without(_read(storage, old.rejected), table, shard)
        names = {"reject_reason": REASON, "reject_detail": DETAIL}
        parts.append(rest.rename_columns([names.get(name, name) for name in rest.column_names]))
    merged = pa.concat_tables(map(_plain, parts), promote_options="default")
    record = commit_shard(
        shard,
        merged.take(np.argsort(positions(shard, merged))),
        storage=storage,
        output=output,
        run_id=run_id,
        generation=old.generation + 1,
    )
    for file in old.files:
        storage.delete(file.name)
    return record


def _read(storage: Storage, file: PublishedFile) -> pa.Table:
    try:
        return pq.ParquetFile(pa.BufferReader(storage.read(file.name))).read()
    except FileNotFoundError as error:
        raise IncompleteRunError(
            f"{storage.uri}/{file.name} is missing; `aslbatch verify {storage.uri}` tells more"
        ) from error


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
