"""Have a teacher gloss a corpus: the data's whole way, from its sources to committed shards.

    plan shards -> read -> normalize -> each text once
                -> ask a service, until each text has an answer to be believed, or is given up
                -> read -> normalize -> label from the stored answers -> commit -> finish

What the service answered is stored before anything is made of it, so that no text is paid for
twice; shards are made of stored answers alone, and committed as those of a translation.
"""

from collections.abc import Callable, Mapping
from functools import partial

import pyarrow as pa
import ray
import ray.data

from aslbatch.cluster.session import STAGE_CPUS, Cluster
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.pipelines.claim import LABELING, claimed
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.finish import Limits, close_output
from aslbatch.pipelines.label_ask import Labeling, Service, ask_teacher, check_new
from aslbatch.pipelines.label_report import Labeled, check_compared, publish_note
from aslbatch.pipelines.label_run import LabelRun, open_label_run
from aslbatch.pipelines.label_texts import LabelProgress
from aslbatch.pipelines.nodes import check_nodes
from aslbatch.pipelines.steps import label_shard, normalize_shard, read_shard_row, shard_texts
from aslbatch.shards.cell import plan_row, shard_of, unpack
from aslbatch.shards.commits import commit_shard
from aslbatch.shards.recommit import recommit_shard
from aslbatch.shards.shard import Shard
from aslbatch.shards.sink import ShardSink

_ONE_SHARD = {"batch_size": 1, "batch_format": "pyarrow", "num_cpus": STAGE_CPUS}


def pseudogloss(
    config: PseudoglossConfig,
    *,
    limit: int | None = None,
    overwrite: bool = False,
    show: Callable[[LabelProgress], None] = lambda _: None,
    verbose: bool = False,
) -> Labeled:
    """Run the job, or what an earlier run of it left undone.

    Args:
        config: What to gloss, who is asked, and whereto.
        limit: Most rows read, None for all.
        overwrite: Delete another run's output, and the answers in it, instead of refusing it.
        show: Is told how far the asking is.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: See `aslbatch.errors`; what is answered and committed by then stays, and
            running the same job again goes on from there.
    """
    run = open_label_run(config, limit=limit, overwrite=overwrite)
    check_compared(run)
    with Cluster(verbose=verbose) as cluster, plain_errors():
        run, texts = plan_texts(run, cluster)
    service = Service(run)
    check_new(run, texts, service)
    run = run.claim(overwrite=overwrite)
    with claimed(run.storage, LABELING):
        asked = ask_teacher(run, texts, service, show=show)
        with Cluster(verbose=verbose) as cluster, plain_errors():
            if todo := run.todo():
                cluster.start()
                check_nodes(run.storage, run.sources, config.source.storage_options)
                label_shards(run, todo, asked.labels, asked.stamps)
        return finish_labels(asked)


def plan_texts(run: LabelRun, cluster: Cluster) -> tuple[LabelRun, pa.Table]:
    """Return the run with its plan, and each text that is to be glossed, once.

    Nothing is written. What an earlier process had found out is taken from the output folder.
    """
    if run.plan is not None and (stored := run.journal.questions()) is not None:
        return run, stored
    if run.plan is None:
        run = run.cut()
    cluster.start()
    return run, collect_texts(run)


def collect_texts(run: LabelRun) -> pa.Table:
    """Read all shards, and return `source_hash` and `text` of each text in them, once, in order."""
    shards = _read_normalized(run, list(run.planned.shards)).map_batches(shard_texts, **_ONE_SHARD)
    found = {}
    for batch in shards.iter_batches(batch_size=1, batch_format="pyarrow"):
        found[shard_of(batch).index] = unpack(batch)
    texts = pa.concat_tables(found[index] for index in sorted(found)).combine_chunks()
    return (
        texts.group_by("source_hash", use_threads=False)
        .aggregate([("text", "first")])
        .rename_columns(["source_hash", "text"])
    )


def label_shards(
    run: LabelRun,
    todo: list[Shard],
    labels: pa.Table,
    stamps: Mapping[str, str],
    *,
    again: bool = False,
) -> None:
    """Put stored answers beside the rows of shards, and commit each.

    Args:
        run: The planned run.
        todo: Its shards to commit.
        labels: The answer that counts for each text.
        stamps: Values of the columns that are the same in every row.
        again: Take only the failed rows of shards that are committed, and replace them.
    """
    label = partial(label_shard, labels=ray.put(labels), stamps=dict(stamps))
    commit = partial(
        recommit_shard if again else commit_shard,
        storage=run.storage,
        output=run.output,
        run_id=run.run_id,
    )
    _read_normalized(run, todo, again=again).map_batches(label, **_ONE_SHARD).write_datasink(
        ShardSink(commit, on_commit=_nothing), ray_remote_args={"num_cpus": STAGE_CPUS}
    )


def finish_labels(asked: Labeling) -> Labeled:
    """Write who was asked what and what it came to, then close the output as a translation's.

    This process holds the claim on the folder.
    """
    note = publish_note(asked)
    limits = Limits(asked.run.config.run.max_failed_rows)
    summary = close_output(asked.run.storage, asked.run.planned, limits=limits, holding=True)
    return Labeled(summary, note)


def _read_normalized(run: LabelRun, todo: list[Shard], *, again: bool = False) -> ray.data.Dataset:
    read = partial(
        read_shard_row,
        schema=run.planned.schema,
        reading=run.reading,
        failed_in=run.storage if again else None,
    )
    normalize = partial(normalize_shard, rules=run.rules)
    rows = ray.data.from_items([plan_row(shard) for shard in todo], override_num_blocks=len(todo))
    return rows.map_batches(read, **_ONE_SHARD).map_batches(normalize, **_ONE_SHARD)


def _nothing(_: object) -> None:
    """Report nothing: with all answers at hand the rest takes moments."""
