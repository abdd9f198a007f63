"""Adding up what is committed, and comparing it with what was planned."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from aslbatch.errors import IncompleteRunError, SinkError
from aslbatch.shards.commits import Commit, committed, read_commits
from aslbatch.shards.layout import DATA, PLAN, REJECTED, SUCCESS, commit_file
from aslbatch.shards.plan import Plan
from aslbatch.shards.plan_file import plan_from_parquet
from aslbatch.shards.shard import Shard
from aslbatch.storage.folder import Storage

_NAMED_SHARDS = 5


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to.

    Attributes:
        uri: The output folder.
        run_id: The run.
        shards: How many.
        rows: Rows planned, all accounted for.
        translated: Rows under `data/`.
        rejected: Rows under `rejected/` by reason.
        failed: Rejected rows that count as failed.
        source_tokens: Tokens read.
        target_tokens: Tokens written.
        audited: Texts translated without the vocabulary shortlist too.
        agreed: Those of them whose translation was the same.
    """

    uri: str
    run_id: str
    shards: int
    rows: int
    translated: int
    rejected: dict[str, int]
    failed: int
    source_tokens: int
    target_tokens: int
    audited: int
    agreed: int


def load_plan(storage: Storage) -> Plan:
    """Return the plan that an output folder holds.

    Raises:
        IncompleteRunError: There is none yet.
        SinkError: It is damaged.
    """
    try:
        return plan_from_parquet(storage.read(PLAN))
    except FileNotFoundError as error:
        raise IncompleteRunError(
            f"{storage.uri}/{PLAN} is missing; run the job again, it starts where it stopped"
        ) from error


def uncommitted(storage: Storage, plan: Plan) -> list[Shard]:
    """Return the planned shards that have no commit record."""
    done = committed(storage)
    return [shard for shard in plan.shards if shard.name not in done]


def check_complete(storage: Storage, plan: Plan) -> None:
    """Check that every planned shard has its commit record; Ray's own word is not taken for it.

    Raises:
        IncompleteRunError: Some have none.
    """
    missing = [shard.name for shard in uncommitted(storage, plan)]
    if missing:
        more = f" and {len(missing) - _NAMED_SHARDS} more" if len(missing) > _NAMED_SHARDS else ""
        raise IncompleteRunError(
            f"{storage.uri}: {len(missing)} of {len(plan.shards)} shards are not committed: "
            f"{', '.join(missing[:_NAMED_SHARDS])}{more}; run the job again, it goes on from there"
        )


def read_records(storage: Storage, shards: Iterable[Shard], run_id: str) -> list[Commit]:
    """Return the records of shards, each compared with the plan.

    Raises:
        IncompleteRunError: A record is missing, damaged, of another run, or of other rows.
    """
    planned = list(shards)
    records = list(read_commits(storage, (shard.name for shard in planned)))
    for shard, record in zip(planned, records, strict=True):
        if fault := record_fault(shard, record, run_id):
            raise IncompleteRunError(
                f"{storage.uri}/{commit_file(shard.name)}: {fault}; delete it and run the job again"
            )
    return records


def check_files(storage: Storage, records: Iterable[Commit]) -> None:
    """Check that every file which records name is there; both folders are listed once.

    Raises:
        IncompleteRunError: One is missing; `_SUCCESS` is taken away.
        SinkError: Another process moved its rows since the records were read.
    """
    records = list(records)
    there = {f"{folder}/{name}" for folder in (DATA, REJECTED) for name in storage.names(folder)}
    named = sorted({file.name for record in records for file in record.files} - there)
    if not named:
        return
    lost = named[0]
    users = [record for record in records if lost in {file.name for file in record.files}]
    if list(read_commits(storage, (record.shard for record in users))) != users:
        raise SinkError(
            f"{storage.uri}/{lost}: its rows were moved to another file meanwhile; wait for the "
            f"retry or compaction that is at work there, then run the job again"
        )
    storage.delete(SUCCESS)
    more = f" and {len(named) - 1} more files" if len(named) > 1 else ""
    raise IncompleteRunError(
        f"{storage.uri}/{lost}{more}: missing, though committed; delete "
        f"{', '.join(commit_file(record.shard) for record in users)} and run the job again"
    )


def record_fault(shard: Shard, record: Commit, run_id: str) -> str | None:
    """Return what is wrong with a shard's record, None where nothing is."""
    if record.run_id != run_id:
        return f"belongs to run {record.run_id}, not to {run_id}"
    rejected = 0 if record.rejected is None else record.rejected.rows
    if not shard.rows == record.rows == record.data.rows + rejected:
        return (
            f"{record.data.rows} translated and {rejected} rejected of {record.rows} rows, planned "
            f"were {shard.rows}"
        )
    if sum(record.reasons.values()) != rejected:
        return f"reasons for {sum(record.reasons.values())} rows, rejected are {rejected}"
    return None


def summarize(uri: str, run_id: str, records: Iterable[Commit]) -> Summary:
    """Add up commit records."""
    records = list(records)
    reasons: Counter[str] = Counter()
    for record in records:
        reasons.update(record.reasons)
    return Summary(
        uri=uri,
        run_id=run_id,
        shards=len(records),
        rows=sum(record.rows for record in records),
        translated=sum(record.data.rows for record in records),
        rejected=dict(sorted(reasons.items())),
        failed=sum(record.failed_rows for record in records),
        source_tokens=sum(record.source_tokens for record in records),
        target_tokens=sum(record.target_tokens for record in records),
        audited=sum(record.audited for record in records),
        agreed=sum(record.agreed for record in records),
    )
