"""Which examples each optimizer step sees: a function of the seed and the number of the step.

Nothing has to be remembered but that number to go on after a crash, and any number of workers can
share a step. Batches hold examples of like length, in random order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_POOL = 4_096
"""Examples sorted together: enough that batches have little padding, few enough to mix."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Portion:
    """Examples that are seen equally often.

    Attributes:
        first: Index of the first.
        count: How many there are.
        times: How often each is seen in an epoch; of 0.5, another half of them in each.
    """

    first: int
    count: int
    times: float


class Batches:
    """The batches of a training, step by step."""

    def __init__(
        self,
        lengths: Ints,
        portions: Sequence[Portion],
        *,
        max_tokens: int,
        max_examples: int | None = None,
        seed: int = 0,
    ) -> None:
        """Describe the batches.

        Args:
            lengths: Tokens of source and target, of shape (examples, 2).
            portions: How often which examples are seen in an epoch.
            max_tokens: Most padded tokens of a batch, both sides together.
            max_examples: Most examples of a batch, None for any number.
            seed: Decides the order.

        Raises:
            ValueError: An example alone is longer than `max_tokens`, or there are none.
        """
        longest = int(lengths.sum(axis=1).max(initial=0))
        if longest > max_tokens:
            raise ValueError(
                f"an example of {longest} tokens does not fit a batch of {max_tokens}; raise it"
            )
        self._lengths, self._portions, self._seed = lengths, list(portions), seed
        self._max_tokens, self._max_examples = max_tokens, max_examples
        # Looked up one after the other, so that the last few are enough.
        self._epoch = lru_cache(maxsize=2)(self._cut_epoch)
        self._ends: list[int] = []
        if not self.steps_until(1):
            raise ValueError("there are no examples to train on")

    def steps_until(self, epochs: int) -> int:
        """Return the number of steps in so many epochs."""
        while len(self._ends) < epochs:
            before = self._ends[-1] if self._ends else 0
            self._ends.append(before + len(self._epoch(len(self._ends))))
        return self._ends[epochs - 1] if epochs else 0

    def at(self, step: int) -> Ints:
        """Return the indices of the examples of a step, which are counted from 0."""
        epoch = int(np.searchsorted(self._ends, step, side="right"))
        while self.steps_until(epoch + 1) <= step:
            epoch += 1
        return self._epoch(epoch)[step - self.steps_until(epoch)]

    def _cut_epoch(self, epoch: int) -> list[Ints]:
        rng = np.random.default_rng([self._seed, epoch])
        order = rng.permutation(np.concatenate([_seen(each, rng) for each in self._portions]))
        batches = [
            batch
            for start in range(0, len(order), _POOL)
            for batch in cut(
                _sorted(order[start : start + _POOL], self._lengths),
                self._lengths,
                max_tokens=self._max_tokens,
                max_examples=self._max_examples,
            )
        ]
        return [batches[index] for index in rng.permutation(len(batches))]


def cut(
    order: Ints, lengths: Ints, *, max_tokens: int, max_examples: int | None = None
) -> list[Ints]:
    """Cut indices, in their order, into batches of at most so many padded tokens and examples."""
    starts = [0]
    width = height = 0
    for position, (source, target) in enumerate(lengths[order].tolist()):
        width, height = max(width, source), max(height, target)
        count = position - starts[-1] + 1
        if count > 1 and (
            (width + height) * count > max_tokens or (max_examples and count > max_examples)
        ):
            starts.append(position)
            width, height = source, target
    return np.split(order, starts[1:]) if len(order) else []


def pieces(batch: Ints, lengths: Ints, *, max_tokens: int, at_least: int = 1) -> list[Ints]:
    """Cut a batch into pieces that go through the model one at a time.

    Args:
        batch: Indices of examples.
        lengths: As above.
        max_tokens: Most padded tokens of a piece.
        at_least: How many pieces there are where there are as many examples: one a worker.
    """
    order = _sorted(batch, lengths)
    most = -(-len(order) // at_least)
    return cut(order, lengths, max_tokens=max_tokens, max_examples=most)


def _sorted(order: Ints, lengths: Ints) -> Ints:
    source, target = lengths[order].T
    return order[np.lexsort((source, target))]


def _seen(portion: Portion, rng: np.random.Generator) -> Ints:
    """Return the examples of a portion as often as they are seen: whole times, then a part."""
    whole, part = divmod(portion.times, 1)
    every = np.arange(portion.first, portion.first + portion.count)
    some = rng.permutation(every)[: round(part * portion.count)]
    return np.concatenate([np.tile(every, int(whole)), some])
