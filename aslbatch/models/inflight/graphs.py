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
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

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
        if key not in self._graphs:
            self._graphs[key] = self._captured(work)
        self._graphs[key].replay()

    def _captured(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph:
        graph, current = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                work()
            finally:
                graph.capture_end()
        current.wait_stream(self._stream)
        return graph
