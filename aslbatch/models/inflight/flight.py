"""Which sentence is in which slot: done ones leave and waiting ones enter between steps.

The host never waits for the device in a step. It learns that a sentence is done some steps later,
from a copy of the flags that has arrived by then; meanwhile its slot runs on, to no effect.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from aslbatch.models.engine import Tokens
from aslbatch.models.inflight.graphs import Runner
from aslbatch.models.inflight.slots import Sentence, Slots, rounded
from aslbatch.models.inflight.transfer import Arriving, sent


@dataclass(frozen=True, slots=True)
class Found:
    """The hypotheses of a sentence, best first: tokens without the end, and scores."""

    tokens: list[Tokens]
    scores: list[float]


@dataclass(slots=True)
class Usage:
    """How well slots were used: steps of all slots, and those that a sentence needed."""

    slot_steps: int = 0
    needed: int = 0

    @property
    def occupancy(self) -> float:
        """Share of the steps that were needed."""
        return self.needed / max(self.slot_steps, 1)


class Flight:
    """Decodes sentences with some slots."""

    def __init__(
        self,
        slots: Slots,
        sentences: Sequence[Sentence],
        *,
        best: int,
        runner: Runner,
        lag: int,
        refill: float,
        usage: Usage,
    ) -> None:
        """Prepare.

        Args:
            slots: Free ones.
            sentences: What is decoded.
            best: How many hypotheses are wanted of each.
            runner: Runs a step.
            lag: Steps after which a step's flags are read; 0 waits for each step.
            refill: Share of the slots that must be free before sentences enter.
            usage: Is added to.
        """
        self._slots, self._sentences = slots, sentences
        self._best, self._runner, self._lag, self._usage = best, runner, lag, usage
        # Longest first: slots hold similar lengths, and memory ends at once or not at all.
        self._waiting = sorted(range(len(sentences)), key=self._source_length)
        self._width = min(slots.count, 1 << max(len(sentences) - 1, 0).bit_length())
        self._least_free = max(1, int(refill * self._width))
        self._owner: dict[int, int] = {}
        self._entered = [0] * slots.count
        self._steps = 0
        self._flags: deque[tuple[int, Arriving]] = deque()
        self._landing: deque[tuple[list[int], Arriving]] = deque()
        self.found: dict[int, Found] = {}

    def run(self) -> None:
        """Decode all; what is done by then stands in `found`, also where memory runs out."""
        while True:
            self._leave(self._lag)
            self._enter()
            self._narrow()
            if not self._owner:
                break
            self._step()
        self.land()

    def land(self) -> None:
        """Take in what has been decoded."""
        while self._landing:
            indices, arriving = self._landing.popleft()
            tokens, lengths, scores = arriving.get()
            for index, *hypotheses in zip(indices, tokens, lengths, scores, strict=True):
                rows, ends, values = hypotheses
                cut = [row[1:end] for row, end in zip(rows, ends, strict=True)]
                self.found[index] = Found(cut, values)

    def _enter(self) -> None:
        free = [slot for slot in range(self._width) if slot not in self._owner]
        if not self._waiting or len(free) < min(self._least_free, len(self._waiting)):
            return
        count = min(len(free), len(self._waiting))
        indices = [self._waiting.pop() for _ in range(count)]
        taken = free[:count]
        self._slots.enter(taken, [self._sentences[index] for index in indices])
        for slot, index in zip(taken, indices, strict=True):
            self._owner[slot] = index
            self._entered[slot] = self._steps

    def _step(self) -> None:
        longest = self._slots.prefix_length + 1 + self._steps
        target = max(longest - self._entered[slot] for slot in self._owner)
        source = max(map(self._source_length, self._owner.values()))
        shape = (self._width, rounded(target), rounded(source))
        self._runner(shape, lambda: self._slots.step(*shape))
        self._steps += 1
        self._usage.slot_steps += self._width
        self._flags.append((self._steps, Arriving(self._slots.beams.done[: self._width])))

    def _leave(self, lag: int) -> None:
        """Have sentences leave whose flags, of `lag` steps ago, say that they are done."""
        while len(self._flags) > lag:
            step, arriving = self._flags.popleft()
            (flags,) = arriving.get()
            done = [slot for slot in self._owner if flags[slot] and self._entered[slot] < step]
            if not done:
                continue
            self._usage.needed += sum(step - self._entered[slot] for slot in done)
            where = sent(done, self._slots.device)
            hypotheses = self._slots.beams.hypotheses(where, self._best)
            self._landing.append(([self._owner.pop(s) for s in done], Arriving(*hypotheses)))

    def _source_length(self, index: int) -> int:
        return len(self._sentences[index].tokens)

    def _narrow(self) -> None:
        """Use half of the slots, or less, once no more sentences wait and half are free."""
        if self._waiting or 2 * len(self._owner) > self._width:
            return
        self._leave(0)
        if not self._owner:
            return
        staying = sorted(self._owner)
        self._width = min(self._width, 1 << (len(staying) - 1).bit_length())
        self._slots.move(staying)
        self._entered[: len(staying)] = [self._entered[slot] for slot in staying]
        self._owner = {place: self._owner[slot] for place, slot in enumerate(staying)}
