"""What a run would come to, before it is paid for: `--dry-run`."""

import time
from dataclasses import dataclass, replace

import ray

from aslbatch.cluster.session import Cluster, Pool
from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.run import examine
from aslbatch.pipelines.worker import WorkerSettings, load_stage, worker_settings
from aslbatch.schema import TEXT
from aslbatch.shards.plan import Plan
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Shard
from aslbatch.stages.normalize import normalize_rows

_SAMPLE_ROWS = 256
_FIRST_BATCH = 8
_TIMED_S = 10.0
_SECONDS_AN_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would come to.

    Attributes:
        plan: The shards.
        pool: The workers that it would have.
        characters: Characters of text, extrapolated from a sample.
        tokens: Source tokens, extrapolated from a sample.
        hours: Wall-clock time, extrapolated from a sample translated on one worker.
        gpu_hours: The same, times the accelerators held.
    """

    plan: Plan
    pool: Pool
    characters: int
    tokens: int
    hours: float
    gpu_hours: float


def estimate(
    config: TranslateConfig, *, limit: int | None = None, verbose: bool = False
) -> Estimate:
    """Plan a run and time a sample of it on the cluster; nothing is written.

    Args:
        config: What would be translated.
        limit: Most rows read, None for all.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: What would stop the run itself from starting.
    """
    run = examine(config, limit=limit)
    with Cluster(verbose=verbose) as cluster, plain_errors():
        pool = run.pool(cluster)
        plan = run.cut(pool)
        sample = _sample(run.reading, plan)
        measure = ray.remote(num_cpus=pool.logical_cpus, num_gpus=pool.gpus)(measure_speed)
        tokens_a_row, rows_a_second = ray.get(
            measure.remote(worker_settings(replace(run, plan=plan), pool), sample)
        )
    busy = min(pool.workers, len(plan.shards))
    hours = plan.rows / rows_a_second / busy / _SECONDS_AN_HOUR if rows_a_second else 0.0
    return Estimate(
        plan=plan,
        pool=pool,
        characters=round(plan.rows * sum(len(text or "") for text in sample) / len(sample)),
        tokens=round(plan.rows * tokens_a_row),
        hours=hours,
        gpu_hours=hours * busy * pool.gpus,
    )


def measure_speed(settings: WorkerSettings, texts: list[str | None]) -> tuple[float, float]:
    """Translate some texts for a few seconds.

    Args:
        settings: The worker that would be used.
        texts: A sample of rows, None where a row would be rejected.

    Returns:
        Source tokens a row and rows a second, rejected rows counted in.
    """
    stage = load_stage(settings)
    usable = [text for text in texts if text is not None]
    done = tokens = 0
    size = _FIRST_BATCH
    started = time.perf_counter()
    while done < len(usable) and time.perf_counter() - started < _TIMED_S:
        batch = stage.translate(usable[done : done + size])
        done, size = done + len(batch), size * 2
        tokens += sum(len(translation.source.tokens) - 2 for translation in batch)
    if not done:
        return 0.0, 0.0
    share = len(usable) / len(texts)
    return tokens / done * share, done / (time.perf_counter() - started) / share


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
