"""How far a run is, gathered from its workers; the truth about it is in the commit records."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import ray
import ray.exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aslbatch.shards.commits import Commit

_PERIOD_S = 1.0
_LAST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What this run has done so far.

    Attributes:
        rows: Rows translated or rejected, those of unfinished shards included.
        shards: Shards committed.
        rejected: Rejected rows of committed shards.
        elapsed_s: Seconds since the first row was waited for.
    """

    rows: int
    shards: int
    rejected: int
    elapsed_s: float


class _Board:
    """Keeps the counts; one actor a run."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._rejected: dict[str, int] = {}

    def translated(self, shard: str, rows: int) -> None:
        self._rows[shard] = max(rows, self._rows.get(shard, 0))

    def committed(self, shard: str, rows: int, rejected: int) -> None:
        self._rows[shard] = rows
        self._rejected[shard] = rejected

    def counts(self) -> tuple[int, int, int]:
        return sum(self._rows.values()), len(self._rejected), sum(self._rejected.values())


class Reporter:
    """What workers report to; travels to them by pickling."""

    def __init__(self) -> None:
        self._board: Any = on_this_node(_Board)
        self._last = (0, 0, 0)

    def translated(self, shard: str, rows: int) -> None:
        """Say how many rows of a shard are done."""
        self._board.translated.remote(shard, rows)

    def committed(self, record: Commit) -> None:
        """Say that a shard is committed."""
        rejected = record.rows - record.data.rows
        self._board.committed.remote(record.shard, record.rows, rejected)

    def counts(self) -> tuple[int, int, int]:
        """Return rows done, shards committed, and rows rejected, as far as is known."""
        with suppress(ray.exceptions.RayError):  # a lost board costs the display, not the run
            self._last = ray.get(self._board.counts.remote())
        return self._last

    @contextmanager
    def watched(self, show: Callable[[Progress], None]) -> Iterator[None]:
        """Call `show` every second from a thread while the block runs, and once at its end."""
        started = time.monotonic()
        with polled(lambda: show(Progress(*self.counts(), time.monotonic() - started))):
            yield


@contextmanager
def polled(show: Callable[[], None]) -> Iterator[None]:
    """Call `show` every second from a thread while the block runs, and once at its end."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_PERIOD_S):
            show()

    watcher = threading.Thread(target=watch, name="progress", daemon=True)
    watcher.start()
    try:
        yield
        show()
    finally:
        ended.set()
        watcher.join(_LAST_WAIT_S)


def on_this_node(actor: type) -> Any:  # noqa: ANN401 - Ray gives its handles no type
    """Start an actor on the driver's node, which outlives those that come and go."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return ray.remote(num_cpus=0)(actor).options(scheduling_strategy=here).remote()
