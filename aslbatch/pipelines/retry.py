"""Translate the failed rows of a finished run again, and replace exactly their shards."""

from dataclasses import replace

from aslbatch.cluster.session import Cluster
from aslbatch.config.credentials import Secrets
from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.accounts import Summary, check_complete, load_plan, read_records
from aslbatch.pipelines.claim import RETRY, claimed
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.finish import Limits, finish
from aslbatch.pipelines.nodes import check_nodes
from aslbatch.pipelines.ownership import check_same
from aslbatch.pipelines.pool import pool_of
from aslbatch.pipelines.run import Run, examine
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.pipelines.translate import translate_shards
from aslbatch.pipelines.watcher import Watcher
from aslbatch.shards.layout import SUCCESS
from aslbatch.storage.folder import Storage


def retry(
    storage: Storage,
    path: str,
    *,
    secrets: Secrets | None = None,
    watcher: Watcher | None = None,
    verbose: bool = False,
) -> Summary:
    """Translate the rows that failed in a finished run again.

    Args:
        storage: The output folder.
        path: The same, as the user named it.
        secrets: Storage options of the job, which its folder does not hold; what is not given is
            looked for in the environment.
        watcher: Is told the plan and the progress.
        verbose: Let Ray print what it prints.

    Raises:
        OutputMismatchError: Sources, model or aslbatch are not those of the run any more.
        IncompleteRunError: The run is not finished; the job itself goes on from there.
        SinkError: Another retry, or a compaction, is at work there.
        AslbatchError: As `aslbatch.pipelines.translate.translate`.
    """
    watcher = watcher or Watcher()
    run = _reopen(storage, path, secrets or Secrets())
    check_complete(storage, run.planned)
    with claimed(storage, RETRY) as this:
        records = read_records(storage, run.planned.shards, run.run_id)
        failed = {record.shard for record in records if record.failed_rows}
        todo = [shard for shard in run.planned.shards if shard.name in failed]
        if todo:
            storage.delete(SUCCESS)
            with Cluster(verbose=verbose) as cluster, plain_errors():
                pool = pool_of(run, cluster)
                check_nodes(run.storage, run.sources, run.config.source.storage_options)
                watcher.planned(run.planned, todo, pool)
                translate_shards(run, todo, pool, watcher, again=True)
        # Whoever gave the run its _SUCCESS has accepted what the shortlist does.
        limits = Limits(run.config.run.max_failed_rows) if this.had_success else None
        return finish(run, limits=limits, holding=True)


def _reopen(storage: Storage, path: str, secrets: Secrets) -> Run:
    """Build the run anew from what its folder says, and check that it is still the same."""
    record = read_run_record(storage)
    values = record["config"]
    values["source"]["storage_options"] = dict(secrets.source)
    values["model"]["storage_options"] = dict(secrets.model)
    values["sink"] |= {"path": path, "storage_options": dict(secrets.sink)}
    run = examine(TranslateConfig.model_validate(values), limit=record["identity"].get("limit"))
    check_same(
        storage, record, run.identity, "its failed rows cannot be translated in the same way"
    )
    return replace(run, plan=load_plan(storage))
