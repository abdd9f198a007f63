"""CUDA graphs of work that is done again and again: a step is one launch instead of hundreds."""

from collections.abc import Callable, Hashable
from typing import Protocol

import torch


class Runner(Protocol):
    """Runs work that is the same for a key, on the same tensors."""

    def __call__(self, key: Hashable, work: Callable[[], None]) -> None: ...  # noqa: D102


def run_at_once(key: Hashable, work: Callable[[], None]) -> None:
    """Run the work as it is, where there are no graphs."""
    work()


class Graphs:
    """Runs work as it is the first time, and as a captured graph from the second time on.

    The first time warms up what must not be captured, such as the choice of kernels. All graphs
    share their memory, since none runs beside another; so nothing may be kept of a work's buffers.
    """

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, key: Hashable, work: Callable[[], None]) -> None:
        """Run some work.

        Args:
            key: What decides the work's shapes.
            work: Kernels on tensors that stay where they are; nothing that waits for the device.
        """
        if key not in self._seen:
            self._seen.add(key)
            work()
            return
        graph = self._graphs.get(key)
        if graph is None:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                work()
            self._graphs[key] = graph
        graph.replay()
