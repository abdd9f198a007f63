"""How far a run is, read from its output folder alone."""

from dataclasses import dataclass

from aslbatch.pipelines.finish import Summary, load_plan, summarize
from aslbatch.pipelines.run import read_run_record
from aslbatch.shards.commits import committed, read_commits
from aslbatch.shards.layout import SUCCESS
from aslbatch.shards.storage import Storage


@dataclass(frozen=True, slots=True)
class Status:
    """State of an output folder.

    Attributes:
        started: When the run was first started, ISO 8601.
        finished: Whether `_SUCCESS` is there.
        planned_shards: Shards of the plan.
        planned_rows: Rows of the plan.
        done: What the committed shards come to.
    """

    started: str
    finished: bool
    planned_shards: int
    planned_rows: int
    done: Summary


def status(storage: Storage) -> Status:
    """Add up what is committed.

    Raises:
        SinkError: The folder holds no run.
        IncompleteRunError: The run was not planned yet, or a record is damaged.
    """
    record = read_run_record(storage)
    plan = load_plan(storage)
    done = committed(storage)
    records = list(read_commits(storage, (s.name for s in plan.shards if s.name in done)))
    return Status(
        started=record["started"],
        finished=storage.exists(SUCCESS),
        planned_shards=len(plan.shards),
        planned_rows=plan.rows,
        done=summarize(storage.uri, record["run_id"], records),
    )
