"""What a run would come to, before it is paid for: `--dry-run`."""

from dataclasses import dataclass, replace
from statistics import fmean

import ray

from aslbatch.cluster.session import Cluster, Pool
from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.pool import pool_of
from aslbatch.pipelines.run import examine
from aslbatch.pipelines.speed import Speed, measure_speed
from aslbatch.pipelines.worker_settings import worker_settings
from aslbatch.schema import TEXT
from aslbatch.shards.plan import Plan
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Shard
from aslbatch.stages.normalize import normalize_rows

_SAMPLE_ROWS = 256
_MOST_MEASURED = 8
"""Workers that are timed, all at once as in a run, where they take memory and caches away from
each other; more are the same again on other nodes."""
_SECONDS_AN_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would come to.

    Attributes:
        plan: The shards.
        pool: The workers that it would have.
        speed: What one of them measured; its `row_s` is the mean of all that did.
        characters: Characters of text, extrapolated from a sample.
        tokens: Source tokens, extrapolated from a sample.
        hours: Wall-clock time, without the start of cluster and workers.
        cpu_hours: The same, times the CPUs held.
        gpu_hours: The same, times the accelerators held.
        price: The same, times `run.price_per_worker_hour`; None where that is not given.
    """

    plan: Plan
    pool: Pool
    speed: Speed
    characters: int
    tokens: int
    hours: float
    cpu_hours: float
    gpu_hours: float
    price: float | None


def estimate(
    config: TranslateConfig, *, limit: int | None = None, verbose: bool = False
) -> Estimate:
    """Plan a run, and measure on the cluster what a token costs; nothing is written.

    Args:
        config: What would be translated.
        limit: Most rows read, None for all.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: What would stop the run itself from starting.
    """
    run = examine(config, limit=limit)
    with Cluster(verbose=verbose) as cluster, plain_errors():
        pool = pool_of(run, cluster)
        plan = run.cut(pool)
        sample = _sample(run.reading, plan)
        measure = ray.remote(num_cpus=pool.logical_cpus, num_gpus=pool.gpus)(measure_speed)
        settings = worker_settings(replace(run, plan=plan), pool)
        busy = min(pool.workers, len(plan.shards))
        speeds: list[Speed] = ray.get(
            [
                measure.remote(settings, sample, plan.rows / len(plan.shards))
                for _ in range(min(busy, _MOST_MEASURED))
            ]
        )
    speed = replace(speeds[0], row_s=fmean(each.row_s for each in speeds))
    hours = plan.rows * speed.row_s / busy / _SECONDS_AN_HOUR
    price = config.run.price_per_worker_hour
    return Estimate(
        plan=plan,
        pool=pool,
        speed=speed,
        characters=round(plan.rows * sum(len(text or "") for text in sample) / len(sample)),
        tokens=round(plan.rows * speed.source_tokens),
        hours=hours,
        cpu_hours=hours * busy * pool.cpus,
        gpu_hours=hours * busy * pool.gpus,
        price=None if price is None else hours * busy * price,
    )


def _sample(reading: Reading, plan: Plan) -> list[str | None]:
    """Return normalized texts from the start, the middle and the end of a plan."""
    shards = plan.shards
    chosen: list[Shard] = list(dict.fromkeys([shards[0], shards[len(shards) // 2], shards[-1]]))
    texts: list[str | None] = []
    for shard in chosen:
        table = read_shard(shard, schema=plan.schema, reading=reading)
        count = min(table.num_rows, _SAMPLE_ROWS // len(chosen))
        step = max(1, table.num_rows // count)
        rows = table.take(list(range(0, table.num_rows, step))[:count])
        texts += normalize_rows(rows, reading.rules)[TEXT].to_pylist()
    return texts
