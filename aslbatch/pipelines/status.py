"""How far a run is, read from its output folder alone."""

from dataclasses import dataclass

from aslbatch.pipelines.accounts import Summary, load_plan, read_records, summarize
from aslbatch.pipelines.claim import claim_note
from aslbatch.pipelines.label_status import LabelStatus, label_status
from aslbatch.pipelines.run_record import LABELS, read_run_record
from aslbatch.shards.commits import committed
from aslbatch.shards.layout import SUCCESS
from aslbatch.storage.folder import Storage


@dataclass(frozen=True, slots=True)
class Status:
    """State of an output folder.

    Attributes:
        started: When the run was first started, ISO 8601.
        finished: Whether `_SUCCESS` is there.
        planned_shards: Shards of the plan.
        planned_rows: Rows of the plan.
        done: What the committed shards come to.
        claim: Who replaces files there, or died over it; None where nobody does.
        asked: How far a teacher has been asked; None where there is none.
    """

    started: str
    finished: bool
    planned_shards: int
    planned_rows: int
    done: Summary
    claim: str | None
    asked: LabelStatus | None = None


def status(storage: Storage) -> Status:
    """Add up what is committed.

    Raises:
        SinkError: The folder holds no run.
        IncompleteRunError: The run was not planned yet, or a record is damaged.
    """
    record = read_run_record(storage)
    plan = load_plan(storage)
    done = committed(storage)
    shards = (shard for shard in plan.shards if shard.name in done)
    records = read_records(storage, shards, record["run_id"])
    return Status(
        started=record["started"],
        finished=storage.exists(SUCCESS),
        planned_shards=len(plan.shards),
        planned_rows=plan.rows,
        done=summarize(storage.uri, record["run_id"], records),
        claim=claim_note(storage),
        asked=label_status(storage) if record.get("job") == LABELS else None,
    )
