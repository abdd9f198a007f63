"""Plan sources and read them, as a job does, without one."""

import pyarrow as pa

from aslbatch.shards.plan import Plan, make_plan
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece, Shard
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources


def plan_of(
    *paths, shard_rows=1_000, limit=None, columns="all", wanted="auto", reading=None
) -> Plan:
    """Plan some sources, everything in the working directory unless they are named."""
    reading = reading or Reading()
    return make_plan(
        list_sources(
            list(map(str, paths)) or ["."], format=wanted, storage_options=reading.storage_options
        ),
        reading=reading,
        columns=columns,
        shard_rows=shard_rows,
        limit=limit,
    )


def read_all(plan: Plan, reading=None) -> pa.Table:
    """Read all shards of a plan; each has the rows that were planned."""
    tables = [
        read_shard(shard, schema=plan.schema, reading=reading or Reading()) for shard in plan.shards
    ]
    assert [table.num_rows for table in tables] == [shard.rows for shard in plan.shards]
    return pa.concat_tables(tables)


def shard_of_lines(rows: int, name: str = "part-000000-00000000") -> Shard:
    """Return a shard of a text file that need not exist."""
    source = Source("a.txt", "a.txt", "text", "none", 1, "1")
    return Shard(name, 0, (Piece(source, 0, rows),))
