"""Start or join a Ray cluster, quietly, and say what a pool of workers may take of it."""

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import ray
from ray.data import DataContext

from aslbatch.errors import AslbatchError, ConfigError
from aslbatch.models.capabilities import Choice
from aslbatch.models.shortlist import Shortlist

AUTO = "auto"
STAGE_CPUS = 0.25
"""Logical CPUs of a reading or writing task; whole ones would starve each other on 2 cores."""

_WORKER_SHARE = 0.75
_MEMORY_SHARE = 0.9
_MOST_DEATHS_WHILE_LOADING = 3


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers that hold a model each.

    Attributes:
        workers: How many.
        cpus: Threads of each.
        gpus: Accelerators of each.
        choice: What runs the model on them.
        shortlist: What it may generate, None for everything.
    """

    workers: int
    cpus: int
    gpus: float
    choice: Choice
    shortlist: Shortlist | None = None

    @property
    def logical_cpus(self) -> float:
        """CPUs that Ray sets aside for a worker: a little less, which reading and writing take."""
        return self.cpus * _WORKER_SHARE


class Cluster:
    """A Ray session that starts when it is first needed and ends with the `with` block.

    With `RAY_ADDRESS` set, as in a job that `ray job submit` started, the session joins that
    cluster; where the process has started Ray already, it uses that; both are left running. Else
    it is a cluster of this machine and process alone.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._started = False

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._started:
            ray.shutdown()

    def start(self) -> None:
        """Start or join the cluster, once."""
        if self._started:
            return
        if ray.is_initialized():
            # The error of an earlier job of this process may hold that job's workers in cycles, and
            # these their CPUs: this job would wait for them.
            gc.collect()
        else:
            self._init()
            self._started = True
        context = DataContext.get_current()
        context.enable_progress_bars = self._verbose
        context.print_on_execution_start = self._verbose
        # A worker may die while it loads, of a node that goes; not for ever, of too little memory.
        context.max_consecutive_actor_init_deaths = _MOST_DEATHS_WHILE_LOADING
        # The default of 30 minutes kills slow shards, and waits for spot capacity.
        context.execution_no_progress_timeout_s = -1
        # Else errors of this package come wrapped into another's, as text.
        context.raise_original_map_exception = True

    def _init(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        address = os.environ.get("RAY_ADDRESS") or "local"
        options: dict[str, Any] = {"include_dashboard": False} if _is_local() else {}
        if not self._verbose:
            os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
            # It prints errors with a traceback before it raises them; they are shown without.
            logging.getLogger("ray.data").setLevel(logging.CRITICAL)
            options |= {"logging_level": logging.ERROR, "log_to_driver": False}
        try:
            with nullcontext() if self._verbose else _native_stderr_held_back():
                ray.init(address=address, **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            where = "on this machine" if _is_local() else f"at RAY_ADDRESS = {address}"
            raise AslbatchError(f"Ray cannot be started or joined {where}: {error}") from error

    @property
    def is_alone(self) -> bool:
        """Whether it is a cluster of this machine alone; one that was joined may grow."""
        return self._started and _is_local()

    def nodes(self) -> list[dict[str, float]]:
        """Return what each living node has: `CPU`s, `GPU`s, bytes of `memory`."""
        self.start()
        return [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def gpus_of_worker(self, wanted: float | str) -> float:
        """Return the accelerators of a worker; `auto` takes one where there are any."""
        self.start()
        if wanted != AUTO:
            return float(wanted)
        return 1.0 if ray.cluster_resources().get("GPU") else 0.0

    def pool(
        self,
        *,
        workers: int | str,
        cpus_per_worker: float | str,
        gpus_per_worker: float,
        choice: Choice,
        shortlist: Shortlist | None = None,
        worker_bytes: int = 0,
    ) -> Pool:
        """Return the size of a pool.

        `auto` gives each GPU, or else each CPU, a worker. On CPUs workers of one thread get most
        out of a machine (docs/benchmarks.md); where its memory does not hold as many, there are
        fewer with more threads each.

        Args:
            workers: How many, or `auto`.
            cpus_per_worker: Threads of each, or `auto`.
            gpus_per_worker: Accelerators of each.
            choice: What runs the model.
            shortlist: What it may generate.
            worker_bytes: Memory that a worker takes.

        Raises:
            ConfigError: The machine has not that much; a cluster that was joined is not asked.
        """
        self.start()
        total = ray.cluster_resources()
        gpus, each_gpu = total.get("GPU", 0.0), gpus_per_worker
        each_cpu = 1 if cpus_per_worker == AUTO else max(1, round(float(cpus_per_worker)))
        room = gpus / each_gpu if each_gpu else total.get("CPU", 1.0) / each_cpu
        wanted = max(1, int(room)) if workers == AUTO else int(workers)
        if workers == AUTO and not each_gpu and worker_bytes:
            threads = each_cpu if cpus_per_worker != AUTO else None
            wanted, each_cpu = fit(self.nodes(), worker_bytes=worker_bytes, threads=threads)
        # A cluster of this machine alone would wait for ever.
        if self.is_alone and wanted > room:
            raise ConfigError(
                f"{wanted} workers with {each_cpu} CPUs and {each_gpu:g} GPUs each do not fit on "
                f"this machine with {total.get('CPU', 0):g} CPUs and {gpus:g} GPUs; lower "
                f"run.workers, run.cpus_per_worker or run.gpus_per_worker"
            )
        return Pool(wanted, each_cpu, each_gpu, choice, shortlist)


def fit(
    nodes: Sequence[Mapping[str, float]], *, worker_bytes: int, threads: int | None
) -> tuple[int, int]:
    """Return how many workers the nodes of a cluster hold, and the threads of each.

    Args:
        nodes: `CPU`s and bytes of `memory` of each.
        worker_bytes: Memory that a worker takes.
        threads: Of each worker; None for as few as leave no core idle where memory is short.
    """
    sizes = [
        (int(node["CPU"]), max(1, int(node.get("memory", 0.0) * _MEMORY_SHARE / worker_bytes)))
        for node in nodes
        if node.get("CPU", 0.0) >= 1
    ]
    if threads is None:
        # No more than the smallest node has, or a worker would wait for one that never comes.
        needed = max((-(-cpus // held) for cpus, held in sizes), default=1)
        threads = min(needed, min((cpus for cpus, _ in sizes), default=1))
    return max(1, sum(min(held, cpus // threads) for cpus, held in sizes)), threads


def _is_local() -> bool:
    return not os.environ.get("RAY_ADDRESS")


@contextmanager
def _native_stderr_held_back() -> Iterator[None]:
    """Keep what native code writes to stderr, and show it only where the block fails.

    Ray's native part announces its log level there, past Python and past that level.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
