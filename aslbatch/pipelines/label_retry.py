"""Ask again for the texts of a finished labeling that no teacher glossed: `aslbatch retry`."""

from collections.abc import Callable
from dataclasses import replace

from aslbatch.cluster.session import Cluster
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.pipelines.accounts import check_complete, load_plan, read_records
from aslbatch.pipelines.claim import RETRY, claimed
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.label_ask import Service, ask_teacher
from aslbatch.pipelines.label_report import Labeled
from aslbatch.pipelines.label_run import LabelRun, examine
from aslbatch.pipelines.label_texts import LabelProgress
from aslbatch.pipelines.nodes import check_nodes
from aslbatch.pipelines.ownership import check_same
from aslbatch.pipelines.pseudogloss import finish_labels, label_shards, plan_texts
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.shards.layout import SUCCESS
from aslbatch.storage.folder import Storage


def retry_labels(
    storage: Storage,
    path: str,
    *,
    config: PseudoglossConfig | None = None,
    show: Callable[[LabelProgress], None] = lambda _: None,
    verbose: bool = False,
) -> Labeled:
    """Ask again for what was given up, up to `run.max_attempts` times more, and replace its shards.

    Args:
        storage: The output folder.
        path: The same, as the user named it.
        config: The job as it is now, with its secrets, budget and how the service is asked; None
            for what its folder holds, which has no secrets.
        show: Is told how far the asking is.
        verbose: Let Ray print what it prints.

    Raises:
        OutputMismatchError: Sources, prompt or aslbatch are not those of the run any more.
        IncompleteRunError: The run is not finished; the job itself goes on from there.
        SinkError: Another process is at work there.
        AslbatchError: As `aslbatch.pipelines.pseudogloss.pseudogloss`.
    """
    run = _reopen(storage, path, config)
    check_complete(storage, run.planned)
    with claimed(storage, RETRY):
        with Cluster(verbose=verbose) as cluster, plain_errors():
            run, texts = plan_texts(run, cluster)
        records = read_records(storage, run.planned.shards, run.run_id)
        failed = {record.shard for record in records if record.failed_rows}
        todo = [shard for shard in run.planned.shards if shard.name in failed]
        labeling = ask_teacher(run, texts, Service(run), again=True, show=show)
        if todo:
            storage.delete(SUCCESS)
            with Cluster(verbose=verbose) as cluster, plain_errors():
                cluster.start()
                check_nodes(storage, run.sources, run.config.source.storage_options)
                label_shards(run, todo, labeling.labels, labeling.stamps, again=True)
        return finish_labels(labeling)


def _reopen(storage: Storage, path: str, config: PseudoglossConfig | None) -> LabelRun:
    """Build the run anew from what its folder says, and check that it is still the same."""
    record = read_run_record(storage)
    if config is None:
        values = record["config"]
        for section in filter(None, map(values.get, ("source", "prompt", "gold", "sink"))):
            section["storage_options"] = {}
        config = PseudoglossConfig.model_validate(values)
    # Wherever the folder is now: its name is none of what makes a run.
    sink = config.sink.model_copy(update={"path": path})
    config = config.model_copy(update={"sink": sink})
    run = examine(config, limit=record["identity"].get("limit"))
    check_same(storage, record, run.identity, "its failed rows cannot be glossed in the same way")
    return replace(run, plan=load_plan(storage))
