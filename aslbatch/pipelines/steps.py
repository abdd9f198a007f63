"""The stages as Ray Data calls them: a batch of one row in, which is a shard, and one out."""

from collections.abc import Mapping

import pyarrow as pa
import ray

from aslbatch.provenance.hashing import source_hash
from aslbatch.schema import TEXT
from aslbatch.shards.cell import pack, shard_of, unpack
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.recommit import only_failed
from aslbatch.stages.label import label_rows
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


def shard_texts(batch: pa.Table) -> pa.Table:
    """Return the texts of a shard, once each, with their hashes."""
    texts = list(dict.fromkeys(filter(None, unpack(batch)[TEXT].to_pylist())))
    hashes = [source_hash(text) for text in texts]
    columns = {"source_hash": pa.array(hashes, pa.string()), "text": pa.array(texts, pa.string())}
    return pack(shard_of(batch), pa.table(columns))


def label_shard(batch: pa.Table, *, labels: ray.ObjectRef, stamps: Mapping[str, str]) -> pa.Table:
    """Put a teacher's answers, which lie in Ray's object store, beside the rows of a shard."""
    return pack(shard_of(batch), label_rows(unpack(batch), ray.get(labels), stamps))


def validate_shard(batch: pa.Table) -> pa.Table:
    """Flag and reject translations of a shard."""
    return pack(shard_of(batch), validate_rows(unpack(batch)))
