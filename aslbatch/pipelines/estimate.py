"""What a run would come to, before it is paid for: `--dry-run`."""

import time
from dataclasses import dataclass, replace

import ray

from aslbatch.cluster.session import Cluster, Pool
from aslbatch.config.translate import TranslateConfig
from aslbatch.models.calibration import Cost
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.pool import pool_of
from aslbatch.pipelines.run import examine
from aslbatch.pipelines.worker import batch_budget, calibration, load_model, make_stage
from aslbatch.pipelines.worker_settings import WorkerSettings, worker_settings
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
class Speed:
    """What a worker measured.

    Attributes:
        max_tokens: Padded tokens of a batch.
        cost: Seconds for each token.
        source_tokens: Source tokens of a row with its two special ones, rejected rows counted in.
        target_tokens: Target tokens of a row, likewise.
        distinct: Share of the rows with a text whose text did not come before in the sample.
    """

    max_tokens: int
    cost: Cost
    source_tokens: float
    target_tokens: float
    distinct: float

    @property
    def row_s(self) -> float:
        """Seconds of a worker for each row."""
        return self.cost.seconds(self.source_tokens, self.target_tokens) * self.distinct


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would come to.

    Attributes:
        plan: The shards.
        pool: The workers that it would have.
        speed: What one of them measured.
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
        speed: Speed = ray.get(measure.remote(settings, sample))
    busy = min(pool.workers, len(plan.shards))
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


def measure_speed(settings: WorkerSettings, texts: list[str | None]) -> Speed:
    """Measure what a token costs, and translate some texts to see how long translations are.

    Args:
        settings: The worker that would be used.
        texts: A sample of rows, None where a row would be rejected.
    """
    engine, tokenizer = load_model(settings)
    max_tokens = batch_budget(engine, tokenizer, settings)
    cost = calibration(engine, tokenizer, settings).cost(max_tokens)
    stage = make_stage(engine, tokenizer, settings, max_tokens=max_tokens)
    distinct = list(dict.fromkeys(text for text in texts if text is not None))
    source = target = done = 0
    size = _FIRST_BATCH
    started = time.perf_counter()
    while done < len(distinct) and time.perf_counter() - started < _TIMED_S:
        batch = stage.translate(distinct[done : done + size])
        done, size = done + len(batch), size * 2
        source += sum(len(translation.source.tokens) for translation in batch)
        target += sum(len(t.hypotheses[0].tokens) for t in batch if t.hypotheses)
    usable = sum(text is not None for text in texts) / len(texts)
    return Speed(
        max_tokens=max_tokens,
        cost=cost,
        source_tokens=usable * source / max(done, 1),
        target_tokens=usable * target / max(done, 1),
        distinct=len(distinct) / max(round(usable * len(texts)), 1),
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
