"""Which sentence is in which slot: done ones leave and waiting ones enter between steps.

The host does not wait for the device in a step: it learns that a sentence is done a step later,
from a copy of the flags that has arrived by then; meanwhile its slot runs on, to no effect.

A sentence that runs on for long makes all slots attend to many places. So each is searched up to a
bound at first, and those that come to it all together at the end, up to their limits. A search goes
the same way whatever its bound, so the results are the same.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from aslbatch.models.engine import Tokens
from aslbatch.models.inflight.graphs import Runner
from aslbatch.models.inflight.shapes import rounded
from aslbatch.models.inflight.slots import Sentence, Slots
from aslbatch.models.inflight.transfer import Arriving, sent

_LOWEST_BOUND = 24


@dataclass(frozen=True, slots=True)
class Found:
    """The hypotheses of a sentence, best first: tokens without start and end, and scores."""

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


@dataclass(frozen=True, slots=True)
class Pace:
    """How a device is kept busy.

    Attributes:
        beams: Beams of all sentences that are decoded at once, at most.
        lag: Steps after which a step's flags are read; with 0 the host waits for each step.
        refill: Share of the slots that must be free before sentences enter.
    """

    beams: int
    lag: int
    refill: float


@dataclass(frozen=True, slots=True)
class Seat:
    """Which sentence a slot holds, and the step after which it entered."""

    index: int
    entered: int


class Flight:
    """Decodes sentences with some slots."""

    def __init__(
        self,
        slots: Slots,
        sentences: Sequence[Sentence],
        prefix: Sequence[int],
        *,
        best: int,
        target_ratio: float | None,
        runner: Runner,
        pace: Pace,
        usage: Usage,
    ) -> None:
        """Prepare.

        Args:
            slots: Free ones.
            sentences: What is decoded.
            prefix: Tokens that all targets begin with.
            best: How many hypotheses are wanted of each.
            target_ratio: Target tokens for each source token up to which a search goes at first;
                None for the limit at once.
            runner: Runs a step.
            pace: How the device is kept busy.
            usage: Is added to.
        """
        self._slots, self._sentences, self._prefix = slots, sentences, prefix
        self._best, self._ratio, self._runner = best, target_ratio, runner
        self._pace, self._usage = pace, usage
        self._steps = 0
        self._flags: deque[tuple[int, Arriving]] = deque()
        self._landing: deque[tuple[list[int], Arriving]] = deque()
        self._late: list[int] = []
        self.found: dict[int, Found] = {}
        self._line_up(range(len(sentences)))

    def _line_up(self, indices: Sequence[int]) -> None:
        """Have sentences wait for slots that are all free."""
        # Longest first: slots hold similar lengths, and memory ends at once or not at all.
        self._waiting = sorted(indices, key=self._source_length)
        self._width = min(self._slots.count, 1 << max(len(indices) - 1, 0).bit_length())
        self._free = list(range(self._width))
        self._seats: dict[int, Seat] = {}

    def run(self) -> None:
        """Decode all; what is done by then stands in `found`, also where memory runs out."""
        self._decode()
        if self._late:
            self._ratio, late, self._late = None, self._late, []
            self._line_up(late)
            self._decode()

    def _decode(self) -> None:
        while self._waiting or self._seats:
            self._enter()
            self._step()
            self._leave(self._pace.lag)
            self.land(keep=1)
            self._narrow()
        self._flags.clear()
        self.land()

    def land(self, keep: int = 0) -> None:
        """Take in what has been decoded, but for the last few that may still be on their way."""
        while len(self._landing) > keep:
            indices, arriving = self._landing.popleft()
            tokens, lengths, scores = arriving.get()
            for index, rows, ends, values in zip(indices, tokens, lengths, scores, strict=True):
                cut = [row[1:end] for row, end in zip(rows, ends, strict=True)]
                self.found[index] = Found(cut, values)

    def _enter(self) -> None:
        count = min(len(self._free), len(self._waiting))
        enough = min(max(1, int(self._pace.refill * self._width)), len(self._waiting))
        if not count or count < enough:
            return
        slots = [self._free.pop() for _ in range(count)]
        indices = [self._waiting.pop() for _ in range(count)]
        self._slots.enter(slots, [self._sentences[index] for index in indices], self._prefix)
        seats = (Seat(index, self._steps) for index in indices)
        self._seats.update(zip(slots, seats, strict=True))

    def _step(self) -> None:
        first = min(seat.entered for seat in self._seats.values())
        target = min(self._length_after(self._steps, first), self._slots.longest_target)
        source = max(self._source_length(seat.index) for seat in self._seats.values())
        shape = (self._width, rounded(target), rounded(source))
        self._runner(shape, lambda: self._slots.step(*shape))
        self._steps += 1
        self._usage.slot_steps += self._width
        self._flags.append((self._steps, Arriving(self._slots.beams.done[: self._width])))

    def _leave(self, lag: int) -> None:
        """Have sentences leave that were done `lag` steps ago, or have come to their bound."""
        while len(self._flags) > lag:
            step, arriving = self._flags.popleft()
            (flags,) = arriving.get()
            here = [slot for slot, seat in self._seats.items() if seat.entered < step]
            done = [slot for slot in here if flags[slot]]
            late = [s for s in here if not flags[s] and self._is_late(self._seats[s], step)]
            self._late += map(self._released, late)
            if done:
                self._usage.needed += sum(step - self._seats[slot].entered for slot in done)
                where = sent(done, self._slots.device)
                hypotheses = self._slots.beams.hypotheses(where, self._best)
                indices = [self._released(slot) for slot in done]
                self._landing.append((indices, Arriving(*hypotheses)))

    def _released(self, slot: int) -> int:
        """Free a slot; return whose it was."""
        self._free.append(slot)
        return self._seats.pop(slot).index

    def _narrow(self) -> None:
        """Use half of the slots, or less, once no more sentences wait and half are free."""
        if self._waiting or not self._seats or 2 * len(self._seats) > self._width:
            return
        self._leave(0)  # the flags on their way are of slots as they were
        staying = sorted(self._seats)
        if not staying:
            return
        self._width = 1 << (len(staying) - 1).bit_length()
        self._slots.move(staying)
        self._seats = {place: self._seats[slot] for place, slot in enumerate(staying)}
        self._free = list(range(len(staying), self._width))

    def _length_after(self, step: int, entered: int) -> int:
        """Return the tokens of a target after a step; its first came when it entered."""
        return len(self._prefix) + 1 + step - entered

    def _is_late(self, seat: Seat, step: int) -> bool:
        if self._ratio is None:
            return False
        bound = max(_LOWEST_BOUND, self._ratio * self._source_length(seat.index))
        return self._length_after(step, seat.entered) > bound

    def _source_length(self, index: int) -> int:
        return len(self._sentences[index].tokens)
