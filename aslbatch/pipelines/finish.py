"""The end of a run: every planned shard is accounted for, then manifest, card and _SUCCESS."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import aslbatch
from aslbatch.errors import IncompleteRunError, TooManyFailedRowsError
from aslbatch.pipelines.card import dataset_card
from aslbatch.pipelines.run import Run, read_run_record
from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.shards.commits import Commit, committed, read_commits
from aslbatch.shards.layout import ATTEMPTS, CARD, FOLDERS, MANIFEST, PLAN, SUCCESS
from aslbatch.shards.plan import Plan, plan_from_parquet
from aslbatch.shards.storage import Storage

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


def finish(run: Run) -> Summary:
    """Check that every planned row is committed, and say so in the output folder.

    Raises:
        IncompleteRunError: Shards are not committed.
        TooManyFailedRowsError: More rows failed than the configuration allows.
        SinkError: The folder cannot be written.
    """
    return finish_output(run.storage, run.planned, max_failed_rows=run.config.run.max_failed_rows)


def finish_output(storage: Storage, plan: Plan, *, max_failed_rows: float) -> Summary:
    """Do what `finish` does, for an output folder that is known by its contents alone."""
    check_complete(storage, plan)
    record = read_run_record(storage)
    records = list(read_commits(storage, (shard.name for shard in plan.shards)))
    summary = summarize(storage.uri, record["run_id"], records)
    previous = _manifest_times(storage)
    manifest = _manifest(record, summary, records, previous)
    _publish_if_changed(storage, MANIFEST, manifest)
    _publish_if_changed(storage, CARD, dataset_card(record, asdict(summary)).encode())
    storage.delete(ATTEMPTS)
    for folder in FOLDERS:
        storage.sweep(folder)
    if summary.failed > max_failed_rows * summary.rows:
        storage.delete(SUCCESS)
        raise TooManyFailedRowsError(
            f"{summary.failed} of {summary.rows} rows failed "
            f"({', '.join(f'{n} {reason}' for reason, n in summary.rejected.items())}), more than "
            f"run.max_failed_rows = {max_failed_rows} allows; all rows are accounted for: look at "
            f"{storage.uri}/rejected, then `aslbatch retry {storage.uri}`, or run again with "
            f"--set run.max_failed_rows=1.0"
        )
    _publish_if_changed(storage, SUCCESS, f"{summary.run_id} {sha256_bytes(manifest)}\n".encode())
    return summary


def load_plan(storage: Storage) -> Plan:
    """Return the plan that an output folder holds.

    Raises:
        IncompleteRunError: There is none yet.
    """
    try:
        return plan_from_parquet(storage.read(PLAN))
    except FileNotFoundError as error:
        raise IncompleteRunError(
            f"{storage.uri}/{PLAN} is missing; run the job again, it starts where it stopped"
        ) from error


def check_complete(storage: Storage, plan: Plan) -> None:
    """Check that every planned shard has its commit record; Ray's own word is not taken for it.

    Raises:
        IncompleteRunError: Some have none.
    """
    done = committed(storage)
    missing = [shard.name for shard in plan.shards if shard.name not in done]
    if missing:
        more = f" and {len(missing) - _NAMED_SHARDS} more" if len(missing) > _NAMED_SHARDS else ""
        raise IncompleteRunError(
            f"{storage.uri}: {len(missing)} of {len(plan.shards)} shards are not committed: "
            f"{', '.join(missing[:_NAMED_SHARDS])}{more}; run the job again, it goes on from there"
        )


def summarize(uri: str, run_id: str, records: list[Commit]) -> Summary:
    """Add up commit records."""
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
    )


def _manifest(
    record: dict[str, Any], summary: Summary, records: list[Commit], finished: dict[str, str]
) -> bytes:
    totals = {key: value for key, value in asdict(summary).items() if key not in ("uri", "run_id")}
    shards = [asdict(commit) for commit in records]
    digest = sha256_bytes(json.dumps(shards, sort_keys=True).encode())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {
        "run_id": record["run_id"],
        "aslbatch": aslbatch.__version__,
        "started": record["started"],
        # Unchanged shards keep the time at which they were first found complete.
        "finished": finished["finished"] if finished.get("digest") == digest else now,
        "identity": record["identity"],
        "totals": totals,
        "shards_sha256": digest,
        "shards": shards,
    }
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()


def _manifest_times(storage: Storage) -> dict[str, str]:
    try:
        old = json.loads(storage.read(MANIFEST))
        return {"digest": old["shards_sha256"], "finished": old["finished"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}  # there is none yet, or a damaged one, which is written anew


def _publish_if_changed(storage: Storage, name: str, data: bytes) -> None:
    if not storage.exists(name) or storage.read(name) != data:
        storage.publish(name, data)
