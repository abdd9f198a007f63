"""Whose output folder it is: this run's, another one's, or not one of ours."""

from collections.abc import Mapping, Sequence
from typing import Any

from aslbatch.errors import OutputMismatchError, SinkError, SourceError
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.provenance.identity import RunIdentity
from aslbatch.shards.layout import OWNED, PLAN, RUN
from aslbatch.shards.plan_file import plan_from_parquet
from aslbatch.shards.source import Source
from aslbatch.storage.folder import Storage


def check_owner(storage: Storage, identity: RunIdentity) -> None:
    """Check that the output folder, which holds a run, holds this one.

    Raises:
        OutputMismatchError: It holds another one; the message says what differs.
    """
    record = read_run_record(storage)
    if record["run_id"] == identity.run_id:
        return
    differences = identity.differences(record["identity"])
    raise OutputMismatchError(
        "\n".join(
            [
                f"{storage.uri} holds run {record['run_id']}, this would be {identity.run_id}; "
                f"what differs:",
                *(f"  {line}" for line in differences),
                "choose another sink.path, or delete that run on purpose with --overwrite",
            ]
        )
    )


def check_same(
    storage: Storage, record: Mapping[str, Any], identity: RunIdentity, what: str
) -> None:
    """Check that a run that is opened again from its folder is still the same.

    Args:
        storage: The output folder.
        record: What `_plan/run.json` says.
        identity: What the run would be now.
        what: What cannot be done otherwise, for people.

    Raises:
        OutputMismatchError: Something changed; the message says what.
    """
    if differences := identity.differences(record["identity"]):
        head = f"{storage.uri} holds run {record['run_id']}, but since then these changed, so that"
        raise OutputMismatchError(
            "\n".join([f"{head} {what}:", *(f"  {line}" for line in differences)])
        )


def is_whole(storage: Storage, identity: RunIdentity) -> bool:
    """Return whether the folder holds this run, record and plan undamaged."""
    try:
        if read_run_record(storage)["run_id"] != identity.run_id:
            return False
        if storage.exists(PLAN):
            plan_from_parquet(storage.read(PLAN))
    except SinkError:
        return False
    return True


def check_free(storage: Storage, owned: Sequence[str] = OWNED) -> None:
    """Refuse a folder with files of our names that are not ours.

    Args:
        storage: The folder.
        owned: Names that the job makes.

    Raises:
        SinkError: There are some.
    """
    taken = [name for name in owned if storage.names(name)]
    if taken:
        raise SinkError(
            f"{storage.uri} holds {', '.join(taken)}, but no {RUN}, so that no run of aslbatch "
            f"made them; choose another sink.path, nothing was touched"
        )


def check_apart(sources: list[Source], storage: Storage) -> None:
    """Refuse sources that lie in the output folder: they would grow with each run.

    Raises:
        SourceError: There are some.
    """
    inside = [source.uri for source in sources if storage.holds(source.path)]
    if inside:
        raise SourceError(
            f"{inside[0]} lies in the output folder {storage.uri}; choose a sink.path outside of "
            f"source.paths"
        )
