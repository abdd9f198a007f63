"""The end of a run: every planned shard is accounted for, then manifest, card and _SUCCESS."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aslbatch.errors import TooManyFailedRowsError
from aslbatch.pipelines.accounts import Summary, check_complete, read_records, summarize
from aslbatch.pipelines.card import dataset_card
from aslbatch.pipelines.claim import holder
from aslbatch.pipelines.run import Run, read_run_record
from aslbatch.provenance.hashing import sha256_bytes, sha256_json
from aslbatch.shards.commits import Commit
from aslbatch.shards.layout import (
    ATTEMPTS,
    CARD,
    DATA,
    FOLDERS,
    MANIFEST,
    PLAN,
    REJECTED,
    SUCCESS,
    shard_of_file,
)
from aslbatch.shards.storage import Storage


def finish(run: Run, *, retrying: bool = False) -> Summary:
    """Check that every planned row is committed, and say so in the output folder.

    Args:
        run: The run, all shards of which should be committed.
        retrying: Whether this is the retry that holds the claim on the folder.

    Raises:
        IncompleteRunError: Shards are not committed, or not with the rows that were planned.
        TooManyFailedRowsError: More rows failed than the configuration allows.
        SinkError: The folder cannot be written.
    """
    storage, most_failed = run.storage, run.config.run.max_failed_rows
    check_complete(storage, run.planned)
    record = read_run_record(storage)
    records = read_records(storage, run.planned.shards, record["run_id"])
    summary = summarize(storage.uri, record["run_id"], records)
    stated = manifest_of(record, records, storage)
    _publish_if_changed(storage, MANIFEST, _stored(stated, storage))
    _publish_if_changed(storage, CARD, dataset_card(record, asdict(summary)).encode())
    if retrying or holder(storage) is None:
        _tidy(storage, records)
    if summary.failed > most_failed * summary.rows:
        storage.delete(SUCCESS)
        raise TooManyFailedRowsError(
            f"{summary.failed} of {summary.rows} rows failed "
            f"({', '.join(f'{n} {reason}' for reason, n in summary.rejected.items())}), more than "
            f"run.max_failed_rows = {most_failed} allows; all rows are accounted for: look at "
            f"{storage.uri}/rejected, then `aslbatch retry {storage.uri}`, or run again with "
            f"--set run.max_failed_rows=1.0"
        )
    _publish_if_changed(storage, SUCCESS, success_note(stated))
    return summary


def manifest_of(record: dict[str, Any], records: list[Commit], storage: Storage) -> dict[str, Any]:
    """Return what the manifest says of a run, but for the time at which it finished.

    Args:
        record: What `_plan/run.json` says.
        records: The commit records, in the order of the plan.
        storage: The output folder.
    """
    summary = asdict(summarize(storage.uri, record["run_id"], records))
    shards = [asdict(commit) for commit in records]
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


def _tidy(storage: Storage, records: list[Commit]) -> None:
    """Remove what killed drivers left, and files that a retry replaced or did not live to use."""
    storage.delete(ATTEMPTS)
    for folder in FOLDERS:
        storage.sweep(folder)
    named = {file.name for record in records for file in record.files}
    planned = {record.shard for record in records}
    for folder in (DATA, REJECTED):
        for name in storage.names(folder):
            if shard_of_file(name) in planned and f"{folder}/{name}" not in named:
                storage.delete(f"{folder}/{name}")


def _publish_if_changed(storage: Storage, name: str, data: bytes) -> None:
    if not storage.exists(name) or storage.read(name) != data:
        storage.publish(name, data)
