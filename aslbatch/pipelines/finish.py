"""The end of a run: every planned shard is accounted for, then manifest, card and _SUCCESS."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aslbatch.errors import QualityAlarmError, TooManyFailedRowsError
from aslbatch.pipelines.accounts import Summary, check_complete, check_files, summarize
from aslbatch.pipelines.card import dataset_card
from aslbatch.pipelines.label_card import label_card
from aslbatch.pipelines.order import put_in_order
from aslbatch.pipelines.run import Run
from aslbatch.pipelines.run_record import read_run_record, recorded_output
from aslbatch.pipelines.teacher_note import read_note
from aslbatch.provenance.hashing import sha256_bytes, sha256_json
from aslbatch.shards.commits import Commit, committed, read_commits
from aslbatch.shards.layout import CARD, MANIFEST, PLAN, SUCCESS
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.plan import Plan
from aslbatch.stages.audit import check_agreement
from aslbatch.storage.folder import Storage


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run must keep to for a `_SUCCESS`; without arguments, anything will do.

    Attributes:
        most_failed: Share of failed rows.
        least_agreement: Share of rows whose translation does not depend on the shortlist.
    """

    most_failed: float = 1.0
    least_agreement: float = 0.0


def finish(run: Run, *, limits: Limits | None = None, holding: bool = False) -> Summary:
    """Check that every planned row is committed, and say so in the output folder.

    Args:
        run: The run, all shards of which should be committed.
        limits: What it must keep to; None for what its configuration says.
        holding: Whether this process holds the claim on the folder.

    Raises:
        AslbatchError: As `close_output`.
    """
    if limits is None:
        config = run.config
        limits = Limits(config.run.max_failed_rows, config.quality.min_shortlist_agreement)
    return close_output(run.storage, run.planned, limits=limits, holding=holding)


def check_agreement_so_far(run: Run) -> None:
    """Check what the committed shards say of the shortlist, before more is done with it.

    Raises:
        QualityAlarmError: They speak against it.
    """
    if run.shortlist is None:
        return
    records = read_commits(run.storage, sorted(committed(run.storage)))
    done = summarize(run.storage.uri, run.run_id, records)
    check_agreement(done.audited, done.agreed, run.config.quality.min_shortlist_agreement)


def recorded_limits(record: dict[str, Any]) -> Limits:
    """Return the limits that a run was started with, from `_plan/run.json`."""
    config = record["config"]
    quality = config.get("quality", {})  # outputs of earlier versions have none
    return Limits(
        config["run"]["max_failed_rows"],
        quality.get("min_shortlist_agreement", 0.0),
    )


def close_output(storage: Storage, plan: Plan, *, limits: Limits, holding: bool) -> Summary:
    """Account for every planned row, put the files in order, then write manifest, card, _SUCCESS.

    What a killed retry or compaction left is put in order first.

    Args:
        storage: The output folder.
        plan: The plan stored there.
        limits: Beyond them there is no `_SUCCESS`.
        holding: Whether this process holds the claim on the folder.

    Raises:
        IncompleteRunError: Shards are not committed, or not with the rows that were planned, or a
            file of theirs is missing.
        TooManyFailedRowsError: More rows failed than allowed.
        QualityAlarmError: The vocabulary shortlist changes more translations than allowed.
        SinkError: The folder cannot be written, or another process moves rows about in it.
    """
    check_complete(storage, plan)
    record = read_run_record(storage)
    output = recorded_output(record, plan)
    records = put_in_order(storage, plan, record["run_id"], output, holding=holding)
    check_files(storage, records)
    summary = summarize(storage.uri, record["run_id"], records)
    stated = manifest_of(record, records, storage)
    _publish_if_changed(storage, MANIFEST, _stored(stated, storage))
    _publish_if_changed(storage, CARD, _card(record, asdict(summary), output, storage).encode())
    try:
        check_agreement(summary.audited, summary.agreed, limits.least_agreement)
    except QualityAlarmError:
        storage.delete(SUCCESS)
        raise
    if summary.failed > limits.most_failed * summary.rows:
        storage.delete(SUCCESS)
        raise TooManyFailedRowsError(
            f"{summary.failed} of {summary.rows} rows failed "
            f"({', '.join(f'{n} {reason}' for reason, n in summary.rejected.items())}), more than "
            f"run.max_failed_rows = {limits.most_failed} allows; all rows are accounted for: "
            f"look at {storage.uri}/rejected, then `aslbatch retry {storage.uri}`, or run again "
            f"with --set run.max_failed_rows=1.0"
        )
    _publish_if_changed(storage, SUCCESS, success_note(stated))
    return summary


def _card(
    record: dict[str, Any], summary: dict[str, Any], output: OutputFormat, storage: Storage
) -> str:
    if output.labels:
        return label_card(record, summary, output, read_note(storage))
    return dataset_card(record, summary, output)


def manifest_of(record: dict[str, Any], records: list[Commit], storage: Storage) -> dict[str, Any]:
    """Return what the manifest says of a run, but for the time at which it finished.

    Args:
        record: What `_plan/run.json` says.
        records: The commit records, in the order of the plan.
        storage: The output folder.
    """
    summary = asdict(summarize(storage.uri, record["run_id"], records))
    shards = [commit.as_dict() for commit in records]
    if not summary["audited"]:
        del summary["audited"], summary["agreed"]
    return {
        "run_id": record["run_id"],
        "aslbatch": record["identity"]["aslbatch"],
        "started": record["started"],
        "identity": record["identity"],
        "totals": {key: n for key, n in summary.items() if key not in ("uri", "run_id")},
        "plan_sha256": sha256_bytes(storage.read(PLAN)),
        "shards_sha256": sha256_json({"shards": shards}),
        "shards": shards,
    }


def success_note(stated: dict[str, Any]) -> bytes:
    """Return the content of `_SUCCESS`: the run, and the SHA-256 over its commit records.

    No time is in it, so that two drivers that finish one run write the same.
    """
    return f"{stated['run_id']} {stated['shards_sha256']}\n".encode()


def _stored(stated: dict[str, Any], storage: Storage) -> bytes:
    """Return the manifest's bytes, with the time at which these shards were first all there."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    old = read_manifest(storage) or {}
    same = old.get("shards_sha256") == stated["shards_sha256"]
    manifest = stated | {"finished": old.get("finished", now) if same else now}
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()


def read_manifest(storage: Storage) -> dict[str, Any] | None:
    """Return the stored manifest, None where there is none or a damaged one."""
    try:
        manifest = json.loads(storage.read(MANIFEST))
    except (FileNotFoundError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def _publish_if_changed(storage: Storage, name: str, data: bytes) -> None:
    if not storage.exists(name) or storage.read(name) != data:
        storage.publish(name, data)
