"""How far a training is, as its first worker says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import ray
import ray.exceptions

from aslbatch.cluster.progress import on_this_node, polled


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far a training is.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        loss: Mean loss of the last steps, in nats a target token.
        score: The best score on validation data so far, None before the first.
    """

    step: int
    steps: int
    loss: float
    score: float | None


class _Board:
    """Keeps the last word; one actor a training."""

    def __init__(self) -> None:
        self._last: TrainingProgress | None = None

    def say(self, progress: TrainingProgress) -> None:
        self._last = progress

    def last(self) -> TrainingProgress | None:
        return self._last


class TrainingReporter:
    """What the first worker reports to; travels to it by pickling."""

    def __init__(self) -> None:
        self._board: Any = on_this_node(_Board)

    def say(self, progress: TrainingProgress) -> None:
        """Say how far the training is."""
        self._board.say.remote(progress)

    @contextmanager
    def watched(self, show: Callable[[TrainingProgress], None]) -> Iterator[None]:
        """Call `show` with what is new every second from a thread while the block runs."""
        shown: list[TrainingProgress] = []

        def look() -> None:
            with suppress(ray.exceptions.RayError):  # a lost board costs the display alone
                last = ray.get(self._board.last.remote())
                if last is not None and [last] != shown:
                    shown[:] = [last]
                    show(last)

        with polled(look):
            yield
