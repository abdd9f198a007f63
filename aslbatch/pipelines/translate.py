"""Translate a corpus: the data's whole way, from its sources to committed shards.

    plan shards -> read -> normalize -> (dedup, batch by token budget, translate) -> validate
                -> commit -> finish

One Ray row is one shard, so that a shard is read, translated and committed as a whole, and what
comes out does not depend on how many workers there are or which of them does what.
"""

from functools import partial

import ray.data
from ray.data import ActorPoolStrategy

from aslbatch.cluster.progress import Reporter
from aslbatch.cluster.session import STAGE_CPUS, Cluster, Pool
from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.accounts import Summary
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.finish import check_agreement_so_far, finish
from aslbatch.pipelines.nodes import check_nodes
from aslbatch.pipelines.pool import pool_of
from aslbatch.pipelines.run import Run, open_run
from aslbatch.pipelines.steps import normalize_shard, read_shard_row, validate_shard
from aslbatch.pipelines.watcher import Watcher
from aslbatch.pipelines.worker import TranslateShards
from aslbatch.pipelines.worker_settings import worker_settings
from aslbatch.shards.attempts import Attempts
from aslbatch.shards.cell import plan_row
from aslbatch.shards.commits import commit_shard
from aslbatch.shards.recommit import recommit_shard
from aslbatch.shards.shard import Shard
from aslbatch.shards.sink import ShardSink


def translate(
    config: TranslateConfig,
    *,
    limit: int | None = None,
    overwrite: bool = False,
    watcher: Watcher | None = None,
    verbose: bool = False,
) -> Summary:
    """Run the job, or what an earlier run of it left undone.

    Args:
        config: What to translate, with what, and whereto.
        limit: Most rows read, None for all.
        overwrite: Delete another run's output instead of refusing it.
        watcher: Is told the plan and the progress.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: See `aslbatch.errors`; what is committed by then stays, and running the
            same job again goes on from there.
    """
    watcher = watcher or Watcher()
    run = open_run(config, limit=limit, overwrite=overwrite)
    with Cluster(verbose=verbose) as cluster, plain_errors():
        if run.plan is None or run.todo():
            pool = pool_of(run, cluster)
            if run.plan is None:
                run = run.claim(run.cut(pool), overwrite=overwrite)
            check_nodes(run.storage, run.sources, run.config.source.storage_options)
            todo = run.todo()
            watcher.planned(run.planned, todo, pool)
            if todo:
                check_agreement_so_far(run)
                translate_shards(run, todo, pool, watcher)
    return finish(run)


def translate_shards(
    run: Run, todo: list[Shard], pool: Pool, watcher: Watcher, *, again: bool = False
) -> None:
    """Send shards through the pipeline; each is committed as soon as it is done.

    Args:
        run: The planned run.
        todo: Its shards to translate.
        pool: The workers.
        watcher: Is told the progress.
        again: Translate only the failed rows of shards that are committed, and replace them.
    """
    config, reporter = run.config, Reporter()
    attempts = Attempts(
        run.storage,
        driver_id=run.driver_id,
        max_attempts=config.run.max_attempts,
        timeout_s=config.run.shard_timeout_s,
    )
    read = partial(
        read_shard_row,
        schema=run.planned.schema,
        reading=run.reading,
        failed_in=run.storage if again else None,
    )
    normalize = partial(normalize_shard, rules=run.reading.rules)
    commit = partial(
        recommit_shard if again else commit_shard,
        storage=run.storage,
        output=run.output,
        run_id=run.run_id,
    )
    one_shard = {"batch_size": 1, "batch_format": "pyarrow"}

    shards = (
        ray.data.from_items([plan_row(shard) for shard in todo], override_num_blocks=len(todo))
        .map_batches(read, num_cpus=STAGE_CPUS, **one_shard)
        .map_batches(normalize, num_cpus=STAGE_CPUS, **one_shard)
        .map_batches(
            TranslateShards,
            fn_constructor_args=(worker_settings(run, pool, alarm=not again), attempts, reporter),
            compute=ActorPoolStrategy(size=min(pool.workers, len(todo))),
            num_cpus=pool.logical_cpus,
            num_gpus=pool.gpus,
            **one_shard,
        )
        .map_batches(validate_shard, num_cpus=STAGE_CPUS, **one_shard)
    )
    with reporter.watched(watcher.progressed):
        shards.write_datasink(
            ShardSink(commit, on_commit=reporter.committed),
            ray_remote_args={"num_cpus": STAGE_CPUS},
        )
