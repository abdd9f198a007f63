"""What an output folder says of the run that it holds: `_plan/run.json`."""

import json
from datetime import UTC, datetime
from typing import Any

from aslbatch.config.resolved import resolved
from aslbatch.config.section import Section
from aslbatch.errors import SinkError
from aslbatch.provenance.identity import RunIdentity
from aslbatch.shards.layout import RUN
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.plan import Plan
from aslbatch.storage.folder import Storage

LABELS = "pseudogloss"
"""What `job` says in the record of a run whose rows a teacher glossed."""


def run_record(identity: RunIdentity, config: Section, *, job: str | None = None) -> bytes:
    """Return the bytes of `_plan/run.json` for a run that starts now.

    Args:
        identity: What decides its output.
        config: What was asked for.
        job: Which job it is, None for a translation.
    """
    record = {
        **({"job": job} if job else {}),
        "run_id": identity.run_id,
        "identity": identity.as_dict(),
        "config": resolved(config),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def read_run_record(storage: Storage) -> dict[str, Any]:
    """Return what `_plan/run.json` of an output folder says.

    Raises:
        SinkError: The folder holds no run, or its record is damaged.
    """
    try:
        record: dict[str, Any] = json.loads(storage.read(RUN))
        record["run_id"], record["identity"], record["config"]
    except FileNotFoundError as error:
        raise SinkError(
            f"{storage.uri}: no {RUN} there; expected the output folder of a translate or "
            f"pseudogloss job"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SinkError(
            f"{storage.uri}/{RUN} is damaged ({error}); restore or delete it"
        ) from error
    return record


def recorded_run_id(storage: Storage) -> str | None:
    """Return whose output a folder holds, None where the record is missing or damaged."""
    try:
        return str(read_run_record(storage)["run_id"])
    except SinkError:
        return None


def is_labeling(storage: Storage) -> bool:
    """Return whether an output folder holds what a teacher glossed.

    Raises:
        SinkError: The folder holds no run, or its record is damaged.
    """
    return read_run_record(storage).get("job") == LABELS


def recorded_output(record: dict[str, Any], plan: Plan) -> OutputFormat:
    """Return what the files of an output folder look like, from its own word.

    Args:
        record: What `_plan/run.json` says.
        plan: The stored plan.
    """
    config = record["identity"]["config"]
    labels = record.get("job") == LABELS
    return OutputFormat(
        plan.schema,
        not labels and config["decoding"]["num_return_sequences"] > 1,
        config["sink"]["compression"],
        config["sink"]["format"],
        labels,
    )
