"""One Ray row is one shard: its plan entry, and its table as Arrow IPC bytes in one cell.

Ray neither splits nor merges rows of one block, so a shard stays whole on its way through the
pipeline, wherever its stages run.
"""

import io

import pyarrow as pa

from aslbatch.shards.shard import Shard, shard_from_json, shard_to_json

SHARD = "shard"
PAYLOAD = "payload"


def plan_row(shard: Shard) -> dict[str, str]:
    """Return the Ray row that a shard starts as."""
    return {SHARD: shard_to_json(shard)}


def shard_of(batch: pa.Table) -> Shard:
    """Return the plan entry of the one shard in a batch."""
    return shard_from_json(batch[SHARD][0].as_py())


def pack(shard: Shard, table: pa.Table) -> pa.Table:
    """Return the batch of one row that carries a shard's table."""
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    payload = pa.array([buffer.getvalue()], pa.large_binary())
    return pa.table({SHARD: pa.array([shard_to_json(shard)]), PAYLOAD: payload})


def unpack(batch: pa.Table) -> pa.Table:
    """Return the table that a batch of one row carries; its buffers are not copied."""
    payload = batch[PAYLOAD][0].as_buffer()
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_all()
