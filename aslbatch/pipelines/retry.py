"""Translate the failed rows of a finished run again, and replace exactly their shards."""

from dataclasses import replace
from typing import Any

from aslbatch.cluster.session import Cluster
from aslbatch.config.resolved import HIDDEN
from aslbatch.config.translate import TranslateConfig
from aslbatch.errors import OutputMismatchError
from aslbatch.pipelines.accounts import Summary, check_complete, load_plan, read_records
from aslbatch.pipelines.claim import claimed
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.finish import finish
from aslbatch.pipelines.nodes import check_nodes
from aslbatch.pipelines.run import Run, examine, read_run_record
from aslbatch.pipelines.translate import translate_shards
from aslbatch.pipelines.watcher import Watcher
from aslbatch.shards.layout import SUCCESS
from aslbatch.shards.storage import Storage


def retry(
    storage: Storage, path: str, *, watcher: Watcher | None = None, verbose: bool = False
) -> Summary:
    """Translate the rows that failed in a finished run again.

    Args:
        storage: The output folder.
        path: The same, as the user named it.
        watcher: Is told the plan and the progress.
        verbose: Let Ray print what it prints.

    Raises:
        OutputMismatchError: Sources, model or aslbatch are not those of the run any more.
        IncompleteRunError: The run is not finished; the job itself goes on from there.
        SinkError: Another retry is at work there.
        AslbatchError: As `aslbatch.pipelines.translate.translate`.
    """
    watcher = watcher or Watcher()
    run = _reopen(storage, path)
    check_complete(storage, run.planned)
    with claimed(storage):
        records = read_records(storage, run.planned.shards, run.run_id)
        failed = {record.shard for record in records if record.failed_rows}
        todo = [shard for shard in run.planned.shards if shard.name in failed]
        if todo:
            storage.delete(SUCCESS)
            with Cluster(verbose=verbose) as cluster, plain_errors():
                pool = run.pool(cluster)
                check_nodes(run)
                watcher.planned(run.planned, todo, pool)
                translate_shards(run, todo, pool, watcher, again=True)
        return finish(run, retrying=True)


def _reopen(storage: Storage, path: str) -> Run:
    """Build the run anew from what its folder says, and check that it is still the same."""
    record = read_run_record(storage)
    values = _without_hidden(record["config"])
    values["sink"]["path"] = path
    run = examine(TranslateConfig.model_validate(values), limit=record["identity"].get("limit"))
    differences = run.identity.differences(record["identity"])
    if differences:
        raise OutputMismatchError(
            "\n".join(
                [
                    f"{storage.uri} holds run {record['run_id']}, but since then these changed, "
                    f"so that its failed rows cannot be translated in the same way:",
                    *(f"  {line}" for line in differences),
                ]
            )
        )
    return replace(run, plan=load_plan(storage))


def _without_hidden(values: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded configuration without masked secrets; the environment must hold them."""
    return {
        key: _without_hidden(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value != HIDDEN
    }
