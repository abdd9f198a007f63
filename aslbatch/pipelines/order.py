"""The files of a committed run in order: each row in one of them, and none that no record names.

Retries and compactions that were killed leave files to clean up. That is done under the claim,
with records read under it: a file that is not named at one moment may be the next.
"""

from aslbatch.pipelines.accounts import read_records
from aslbatch.pipelines.claim import COMPACT, FINISH, at_work, claimed, last_holder
from aslbatch.shards.commits import Commit
from aslbatch.shards.layout import (
    ATTEMPTS,
    DATA,
    FOLDERS,
    REJECTED,
    SUCCESS,
    is_merged,
    shard_of_file,
)
from aslbatch.shards.merge import mend, torn_files
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.plan import Plan
from aslbatch.storage.folder import Storage


def put_in_order(
    storage: Storage, plan: Plan, run_id: str, output: OutputFormat, *, holding: bool
) -> list[Commit]:
    """Clean up what killed processes left, unless a living one is at work, and return the records.

    Args:
        storage: The output folder.
        plan: The plan, every shard of which is committed.
        run_id: The run.
        output: What the files look like.
        holding: Whether this process holds the claim on the folder.

    Raises:
        IncompleteRunError: A record or a file is missing or damaged.
        SinkError: Another process is moving rows from file to file.
    """
    records = read_records(storage, plan.shards, run_id)
    if holding:
        return _clean(storage, plan, records, output)
    other = last_holder(storage)
    if other is not None and other.may_be_alive():
        if other.task == COMPACT or torn_files(records):
            raise at_work(storage, other)
        return records
    if other is not None or torn_files(records) or _strays(storage, plan, records):
        with claimed(storage, FINISH):
            records = read_records(storage, plan.shards, run_id)
            return _clean(storage, plan, records, output)
    _sweep(storage)
    return records


def _clean(
    storage: Storage, plan: Plan, records: list[Commit], output: OutputFormat
) -> list[Commit]:
    if torn_files(records):
        storage.delete(SUCCESS)
        records = mend(storage, records, output=output)
    for name in _strays(storage, plan, records):
        storage.delete(name)
    _sweep(storage)
    return records


def _strays(storage: Storage, plan: Plan, records: list[Commit]) -> list[str]:
    """Return files of ours that were replaced, or that nobody lived to use."""
    named = {file.name for record in records for file in record.files}
    planned = {shard.name for shard in plan.shards}
    return [
        f"{folder}/{name}"
        for folder in (DATA, REJECTED)
        for name in storage.names(folder)
        if f"{folder}/{name}" not in named and (shard_of_file(name) in planned or is_merged(name))
    ]


def _sweep(storage: Storage) -> None:
    """Remove the notes of attempts and the temporary files of dead writers."""
    storage.delete(ATTEMPTS)
    for folder in FOLDERS:
        storage.sweep(folder)
