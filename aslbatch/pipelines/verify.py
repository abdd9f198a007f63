"""Check an output folder against its plan: every file's bytes, every planned row once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.errors import IncompleteRunError
from aslbatch.pipelines.accounts import load_plan, record_fault
from aslbatch.pipelines.finish import manifest_of, read_manifest, success_note
from aslbatch.pipelines.run import read_run_record
from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.shards.commits import Commit, read_commit
from aslbatch.shards.layout import (
    COMMITS,
    DATA,
    MANIFEST,
    REJECTED,
    SUCCESS,
    commit_file,
)
from aslbatch.shards.plan import Plan
from aslbatch.shards.positions import positions
from aslbatch.shards.shard import Shard
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
        SinkError: The folder is no output, or cannot be read.
        IncompleteRunError: It holds no plan yet.
    """
    run, plan = read_run_record(storage), load_plan(storage)
    with ThreadPoolExecutor(_READERS) as pool:
        records, faults = _read_records(storage, plan, pool)
        checked = pool.map(
            lambda shard: list(_check_shard(storage, shard, records[shard.name], run["run_id"])),
            (shard for shard in plan.shards if shard.name in records),
        )
        faults += [fault for found in checked for fault in found]
    faults += _strangers(storage, plan, records)
    # Without every shard there is nothing yet that the end of the run could have been about.
    if not faults:
        faults += _check_end(storage, run, list(records.values()))
    return Verdict(len(plan.shards), plan.rows, tuple(f"{storage.uri}/{line}" for line in faults))


def _read_records(
    storage: Storage, plan: Plan, pool: ThreadPoolExecutor
) -> tuple[dict[str, Commit], list[str]]:
    """Return the records by shard, and a line for each that is missing or damaged."""

    def read(shard: Shard) -> Commit | str:
        try:
            return read_commit(storage, shard.name)
        except IncompleteRunError as error:
            return error.message.removeprefix(f"{storage.uri}/")

    found = list(pool.map(read, plan.shards))
    records = {record.shard: record for record in found if isinstance(record, Commit)}
    return records, [fault for fault in found if isinstance(fault, str)]


def _check_shard(storage: Storage, shard: Shard, record: Commit, run_id: str) -> Iterator[str]:
    if fault := record_fault(shard, record, run_id):
        yield f"{commit_file(shard.name)}: {fault}"
        return
    found: list[npt.NDArray[np.int64]] = []
    reasons: Counter[str] = Counter()
    for file in record.files:
        try:
            data = storage.read(file.name)
        except FileNotFoundError:
            yield f"{file.name}: missing, {file.rows} rows are lost"
            return
        if sha256_bytes(data) != file.sha256:
            yield (
                f"{file.name}: {len(data)} bytes with SHA-256 {sha256_bytes(data)[:16]}, committed "
                f"were {file.size_bytes} with {file.sha256[:16]}"
            )
            return
        found.append(positions(shard, _columns(data, ["source_uri", "source_row"])))
        if file is record.rejected:
            reasons.update(_columns(data, ["reject_reason"])["reject_reason"].to_pylist())
    if not np.array_equal(np.sort(np.concatenate(found)), np.arange(shard.rows)):
        yield (
            f"{record.data.name}: its rows and the rejected ones are not the {shard.rows} rows "
            f"from {shard.pieces[0]} on, each once"
        )
    if reasons != record.reasons:
        yield f"{commit_file(shard.name)}: reasons {record.reasons}, rejected were {dict(reasons)}"


def _columns(data: bytes, names: list[str]) -> pa.Table:
    # Not pq.read_table: threads of its own still hold the bytes when Python ends, and abort it.
    return pq.ParquetFile(pa.BufferReader(data)).read(columns=names)


def _strangers(storage: Storage, plan: Plan, records: dict[str, Commit]) -> Iterator[str]:
    """Yield a line for each file that no record names."""
    named = {commit_file(shard.name) for shard in plan.shards}
    named |= {file.name for record in records.values() for file in record.files}
    for folder in (DATA, REJECTED, COMMITS):
        for name in storage.names(folder):
            if f"{folder}/{name}" not in named:
                yield f"{folder}/{name}: belongs to no committed shard of the plan"


def _check_end(storage: Storage, record: dict[str, Any], records: list[Commit]) -> Iterator[str]:
    """Check that manifest and _SUCCESS are those of these shards."""
    stated = manifest_of(record, records, storage)
    if not storage.exists(SUCCESS):
        yield f"{SUCCESS}: missing, the run did not finish"
    elif storage.read(SUCCESS) != success_note(stated):
        yield f"{SUCCESS}: was written for other shards; run the job again to renew it"
    found = read_manifest(storage) or {}
    wrong = sorted(key for key in stated if found.get(key) != stated[key])
    if wrong:
        yield f"{MANIFEST}: {', '.join(wrong)} not as in the shards, the plan and run.json"
