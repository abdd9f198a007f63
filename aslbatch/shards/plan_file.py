"""The file that a plan is stored in: a row a piece."""

import base64
import json
from dataclasses import asdict
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.errors import SinkError
from aslbatch.shards.plan import Plan
from aslbatch.shards.shard import Shard, piece_from_dict

_MEMBER = pa.struct(
    [
        ("kind", pa.string()),
        ("packing", pa.string()),
        ("name", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
    ]
)
_SOURCE = pa.struct(
    [
        ("uri", pa.string()),
        ("path", pa.string()),
        ("format", pa.string()),
        ("compression", pa.string()),
        ("size", pa.int64()),
        ("version", pa.string()),
        ("member", _MEMBER),
    ]
)
_PIECE_SCHEMA = pa.schema(
    [
        pa.field("shard", pa.string(), nullable=False),
        pa.field("index", pa.int64(), nullable=False),
        pa.field("source", _SOURCE, nullable=False),
        pa.field("row_start", pa.int64(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("byte_start", pa.int64()),
        pa.field("byte_end", pa.int64()),
    ]
)
_COLUMNS_KEY = b"aslbatch.source_schema"
_FINGERPRINTS_KEY = b"aslbatch.fingerprints"


def plan_to_parquet(plan: Plan) -> bytes:
    """Return the bytes of `_plan/plan.parquet`, a row a piece; equal plans give equal bytes."""
    metadata = {
        # Parquet metadata has to be text.
        _COLUMNS_KEY: base64.b64encode(plan.schema.serialize().to_pybytes()),
        _FINGERPRINTS_KEY: json.dumps(plan.fingerprints).encode(),
    }
    rows = [
        {"shard": shard.name, "index": shard.index, **asdict(piece)}
        for shard in plan.shards
        for piece in shard.pieces
    ]
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(rows, _PIECE_SCHEMA.with_metadata(metadata))
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def plan_from_parquet(data: bytes) -> Plan:
    """Read what `plan_to_parquet` wrote.

    Raises:
        SinkError: The bytes are not a plan.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
        metadata = table.schema.metadata or {}
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(metadata[_COLUMNS_KEY])))
        fingerprints = tuple(json.loads(metadata[_FINGERPRINTS_KEY]))
        shards = [
            Shard(name, index, tuple(map(piece_from_dict, pieces)))
            for (name, index), pieces in groupby(
                table.to_pylist(), lambda row: (row.pop("shard"), row.pop("index"))
            )
        ]
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise SinkError(
            f"the stored plan cannot be read: {error!r}; start afresh with --overwrite"
        ) from error
    return Plan(tuple(shards), schema, fingerprints)
