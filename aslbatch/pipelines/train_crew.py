"""How many workers share a training, and what each takes of its node."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aslbatch.config.train import TrainRunSection
from aslbatch.errors import ConfigError

_log = logging.getLogger(__name__)


class Crew(NamedTuple):
    """The workers of a training.

    Attributes:
        workers: How many there are.
        threads: CPU threads of each.
        gpus: GPUs of each.
        logical_cpus: What Ray sets aside for each: a little less than its threads, so that others
            can begin on its node, and too much for more workers than the node has threads for.
    """

    workers: int
    threads: int
    gpus: float
    logical_cpus: float


def crew_of(run: TrainRunSection, nodes: Sequence[Mapping[str, float]], *, may_grow: bool) -> Crew:
    """Return the workers for the nodes of a cluster: one a GPU, or else one with a node's CPUs.

    A worker is never larger than a node, since it would wait for one that does not come.

    Args:
        run: What is asked for.
        nodes: `CPU`s and `GPU`s of each.
        may_grow: Whether there may be more nodes later.

    Raises:
        ConfigError: The workers do not fit, and never will.
    """
    any_gpus = any(node.get("GPU") for node in nodes)
    gpus = float(any_gpus if run.gpus_per_worker == "auto" else run.gpus_per_worker)
    # Of each node its CPUs, and how many workers it holds if they have one of these each.
    sizes = [
        (cpus, min(cpus, int(node.get("GPU", 0.0) / gpus)) if gpus else cpus)
        for node in nodes
        for cpus in [int(node.get("CPU", 0.0))]
    ]
    sizes = [(cpus, most) for cpus, most in sizes if most]
    largest = max((cpus for cpus, _ in sizes), default=1)

    def room(threads: int) -> int:
        return sum(min(cpus // threads, most) for cpus, most in sizes)

    asked = 1 if run.cpus_per_worker == "auto" else run.cpus_per_worker
    if may_grow and asked > largest and sizes:
        _log.warning("run.cpus_per_worker: %d, but no node has more than %d", asked, largest)
        asked = largest
    workers = (max(1, room(asked)) if gpus else 1) if run.workers == "auto" else run.workers
    threads = asked
    if run.cpus_per_worker == "auto":
        threads = next((each for each in range(largest, 1, -1) if room(each) >= workers), 1)
    if not may_grow and room(threads) < workers:
        there = [sum(node.get(kind, 0.0) for node in nodes) for kind in ("CPU", "GPU")]
        raise ConfigError(
            f"run.workers: {workers} with {threads} CPUs and {gpus:g} GPUs each do not fit on this "
            f"machine with {there[0]:g} CPUs and {there[1]:g} GPUs; lower run.workers, "
            f"run.cpus_per_worker or run.gpus_per_worker"
        )
    least = max((cpus / (cpus // threads + 1) for cpus, _ in sizes), default=threads)
    return Crew(workers, threads, gpus, (least + threads) / 2)
