"""The stages as Ray Data calls them: a batch of one row in, which is a shard, and one out."""

import pyarrow as pa

from aslbatch.shards.cell import pack, shard_of, unpack
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.recommit import only_failed
from aslbatch.stages.normalize import normalize_rows
from aslbatch.stages.validate import validate_rows
from aslbatch.storage.folder import Storage
from aslbatch.text.normalize import NormalizeRules


def read_shard_row(
    batch: pa.Table,
    *,
    schema: pa.Schema,
    reading: Reading,
    failed_in: Storage | None = None,
) -> pa.Table:
    """Read the rows of a planned shard, or only those that failed in an output folder."""
    shard = shard_of(batch)
    table = read_shard(shard, schema=schema, reading=reading)
    return pack(shard, table if failed_in is None else only_failed(table, shard, failed_in))


def normalize_shard(batch: pa.Table, *, rules: NormalizeRules) -> pa.Table:
    """Clean a shard's texts."""
    return pack(shard_of(batch), normalize_rows(unpack(batch), rules))


def validate_shard(batch: pa.Table) -> pa.Table:
    """Flag and reject translations of a shard."""
    return pack(shard_of(batch), validate_rows(unpack(batch)))
