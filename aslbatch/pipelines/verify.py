"""Check an output folder against its plan: every file's bytes, every planned row once."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslbatch.errors import IncompleteRunError
from aslbatch.pipelines.accounts import load_plan, record_fault
from aslbatch.pipelines.claim import claim_note
from aslbatch.pipelines.finish import manifest_of, read_manifest, success_note
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.schema import REJECT_REASON, SOURCE_ROW, SOURCE_URI
from aslbatch.shards.commits import Commit, read_commit
from aslbatch.shards.layout import CLAIM, COMMITS, DATA, MANIFEST, REJECTED, SUCCESS, commit_file
from aslbatch.shards.merge import torn_files
from aslbatch.shards.plan import Plan
from aslbatch.shards.positions import positions
from aslbatch.shards.published import ReadFiles
from aslbatch.shards.shard import Shard
from aslbatch.storage.folder import Storage

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
            lambda shards: list(_check_shards(storage, shards, records, run["run_id"])),
            _sharing_files(plan, records),
        )
        faults += [fault for found in checked for fault in found]
    if note := claim_note(storage):
        faults.append(f"{CLAIM}: {note}")
    faults += [
        f"{name}: its rows are not each named by one record, so that some lie in two files; run "
        f"the job again, or `aslbatch compact`"
        for name in torn_files(list(records.values()))
    ]
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


def _sharing_files(plan: Plan, records: dict[str, Commit]) -> list[list[Shard]]:
    """Return the committed shards, those together whose rows are in one file."""
    together: dict[str, list[Shard]] = defaultdict(list)
    for shard in plan.shards:
        if shard.name in records:
            together[records[shard.name].data.name].append(shard)
    return list(together.values())


def _check_shards(
    storage: Storage, shards: list[Shard], records: dict[str, Commit], run_id: str
) -> Iterator[str]:
    files = ReadFiles(storage)
    for shard in shards:
        try:
            yield from _check_shard(shard, records[shard.name], run_id, files)
        except IncompleteRunError as error:  # a file that the other shards need too
            yield error.message.removeprefix(f"{storage.uri}/")
            return


def _check_shard(shard: Shard, record: Commit, run_id: str, files: ReadFiles) -> Iterator[str]:
    if fault := record_fault(shard, record, run_id):
        yield f"{commit_file(shard.name)}: {fault}"
        return
    found: list[npt.NDArray[np.int64]] = []
    reasons: Counter[str] = Counter()
    for file in record.files:
        is_rejected = file is record.rejected
        origin = [SOURCE_URI, SOURCE_ROW]
        table = files.rows(file, pa.schema([*origin, REJECT_REASON] if is_rejected else origin))
        found.append(positions(shard, table))
        reasons.update(table["reject_reason"].to_pylist() if is_rejected else ())
    if not np.array_equal(np.sort(np.concatenate(found)), np.arange(shard.rows)):
        yield (
            f"{record.data.name}: its rows and the rejected ones are not the {shard.rows} rows "
            f"from {shard.pieces[0]} on, each once"
        )
    if reasons != record.reasons:
        yield f"{commit_file(shard.name)}: reasons {record.reasons}, rejected were {dict(reasons)}"


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
