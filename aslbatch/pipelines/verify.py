"""Check an output folder against its plan: every file's bytes, every planned row once."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.errors import IncompleteRunError
from aslbatch.pipelines.finish import load_plan
from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.shards.commits import Commit, PublishedFile, committed, read_commit
from aslbatch.shards.layout import (
    COMMITS,
    DATA,
    REJECTED,
    SUCCESS,
    commit_file,
    data_file,
    rejected_file,
)
from aslbatch.shards.plan import Shard
from aslbatch.shards.storage import Storage

_READERS = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    Attributes:
        shards: Planned shards.
        rows: Planned rows.
        faults: One line for each thing that is wrong; none when all is well.
    """

    shards: int
    rows: int
    faults: tuple[str, ...]


def verify(storage: Storage) -> Verdict:
    """Read every file of an output folder and compare it with its record and with the plan.

    Raises:
        SinkError: The folder cannot be read.
        IncompleteRunError: It holds no plan.
    """
    plan = load_plan(storage)
    done = committed(storage)
    faults = [
        f"{storage.uri}/{commit_file(shard.name)}: missing, the shard is not committed"
        for shard in plan.shards
        if shard.name not in done
    ]
    with ThreadPoolExecutor(_READERS) as pool:
        checked = pool.map(
            lambda shard: list(_check_shard(storage, shard)),
            (shard for shard in plan.shards if shard.name in done),
        )
        faults += [fault for found in checked for fault in found]
    faults += _strangers(storage, {shard.name for shard in plan.shards})
    if not faults and not storage.exists(SUCCESS):
        faults.append(f"{storage.uri}/{SUCCESS}: missing, the run did not finish")
    return Verdict(len(plan.shards), plan.rows, tuple(faults))


def _check_shard(storage: Storage, shard: Shard) -> Iterator[str]:
    try:
        record = read_commit(storage, shard.name)
    except IncompleteRunError as error:
        yield error.message
        return
    rows: list[int] = []
    for name, expected in _files(record, shard):
        try:
            data = storage.read(name)
        except FileNotFoundError:
            yield f"{storage.uri}/{name}: missing, {expected.rows} rows are lost"
            return
        if sha256_bytes(data) != expected.sha256:
            yield (
                f"{storage.uri}/{name}: {len(data)} bytes with SHA-256 {sha256_bytes(data)[:16]}, "
                f"committed were {expected.size_bytes} with {expected.sha256[:16]}"
            )
            return
        rows += _source_rows(data)
    if sorted(rows) != list(range(shard.row_start, shard.row_start + shard.rows)):
        yield (
            f"{storage.uri}/{data_file(shard.name)}: its rows and the rejected ones are not the "
            f"{shard.rows} rows of {shard.uri} from {shard.row_start} on, each once"
        )
    if record.rejected is None and storage.exists(rejected_file(shard.name)):
        yield f"{storage.uri}/{rejected_file(shard.name)}: not in the commit record"


def _files(record: Commit, shard: Shard) -> Iterator[tuple[str, PublishedFile]]:
    yield data_file(shard.name), record.data
    if record.rejected is not None:
        yield rejected_file(shard.name), record.rejected


def _source_rows(data: bytes) -> list[int]:
    table = pq.read_table(io.BytesIO(data), columns=["source_row"])
    rows: list[int] = table["source_row"].cast(pa.int64()).to_pylist()
    return rows


def _strangers(storage: Storage, planned: set[str]) -> list[str]:
    """Return a line for each file that no planned shard owns."""
    return [
        f"{storage.uri}/{folder}/{name}: belongs to no planned shard"
        for folder in (DATA, REJECTED, COMMITS)
        for name in storage.names(folder)
        if name.rpartition(".")[0] not in planned
    ]
