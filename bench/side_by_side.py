"""Measure translation systems in turns, each of them in a process of its own.

A machine that others use drifts in speed. So what is to be compared runs in alternation, and a
ratio is the median over the rounds. Processes keep the systems from changing each other's allocator
and threads, and give each a peak of memory.

No system decodes all of its batches, but a systematic sample: a batch is taken with a probability
that goes with the work that it is thought to be, and its seconds are divided by that work. The mean
of these, times the work of all batches, estimates the seconds for the whole corpus without bias,
however wrong the thought is; a good one only makes it precise.
"""

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import NamedTuple, Self

from aslbatch.models.engine import Tokens

_GOLDEN = (math.sqrt(5) - 1) / 2
_STEP_SENTENCES = 6
"""Sentences whose work is thought to be that of a decoding step itself, however many it serves."""
_PATIENCE_S = 30


class Batch(NamedTuple):
    """Sentences that are decoded together, and the tokens that each of them is forced to."""

    rows: list[Tokens]
    length: int


class Rates(NamedTuple):
    """Sentences a second of the clock, and of the processor; or the ratio of two of these."""

    wall: float
    cpu: float

    def over(self, other: "Rates") -> "Rates":
        """Return how many times faster this is."""
        return Rates(self.wall / other.wall, self.cpu / other.cpu)


class Spent(NamedTuple):
    """What decoding took: wall-clock and processor seconds, and the peak of memory so far."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class System:
    """A loaded system, warmed up.

    Attributes:
        form: Puts a corpus into batches of indexes.
        run: Decodes a batch.
    """

    form: Callable[[Sequence[Tokens]], list[list[int]]]
    run: Callable[[Batch], Spent]


def timed(work: Callable[[], list[int]], batch: Batch) -> Spent:
    """Time what decodes a batch, and check that each sentence has the tokens that it should have.

    Args:
        work: Returns the number of tokens of each sentence.
        batch: What it decodes.
    """
    start, cpu_start = time.perf_counter(), time.process_time()
    counts = work()
    spent = Spent(time.perf_counter() - start, time.process_time() - cpu_start, peak_bytes())
    check_lengths(counts, batch)
    return spent


def check_lengths(counts: Sequence[int], batch: Batch) -> None:
    """Raise ValueError unless each sentence came out with the tokens that it was forced to."""
    if list(counts) != [batch.length] * len(batch.rows):
        raise ValueError(f"hypotheses have {counts} tokens, each should have {batch.length}")


def peak_bytes() -> int:
    """Return the peak of this process' memory, as Linux counts it.

    Unlike `ru_maxrss` it does not begin with what the parent process had.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def _serve(
    connection: Connection,
    load: Callable[[], System],
    lines: Sequence[Tokens],
    forced_length: Callable[[Sequence[Tokens]], int],
) -> None:
    """Load a system, say what its batches are, then decode the ones that are asked for."""
    system = load()
    batches = []
    for indexes in system.form(lines):
        rows = [lines[index] for index in indexes]
        batches.append(Batch(rows, forced_length(rows)))
    batches.sort(key=lambda batch: (batch.length, len(batch.rows)))
    connection.send([(len(batch.rows), _work(batch)) for batch in batches])
    for position in iter(connection.recv, None):
        connection.send(system.run(batches[position]))


def _work(batch: Batch) -> int:
    return batch.length * (_STEP_SENTENCES + len(batch.rows))


class Worker:
    """A system in its process, and the sum of what it has decoded."""

    def __init__(
        self,
        load: Callable[[], System],
        lines: Sequence[Tokens],
        forced_length: Callable[[Sequence[Tokens]], int],
    ) -> None:
        """Start the process, and wait until the system is loaded.

        Args:
            load: Loads the system; a function that pickle can name.
            lines: The corpus.
            forced_length: The tokens to which a batch is forced.
        """
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, load, lines, forced_length))
        self._process.start()
        theirs.close()
        batches: list[tuple[int, int]] = self._connection.recv()
        self._sentences, self._work = map(list, zip(*batches, strict=True))
        self._series = 0
        self._done: list[tuple[int, Spent]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._connection.send(None)
            self._process.join(_PATIENCE_S)
        self._process.terminate()
        self._process.join()

    def rounds(self, sentences: int, rounds: int) -> list[list[int]]:
        """Return the batches to decode in each round; they are others at each call.

        Args:
            sentences: About how many a round.
            rounds: How many rounds.
        """
        reached = list(accumulate(self._work))
        pairs = zip(self._sentences, self._work, strict=True)
        a_batch = sum(count * work for count, work in pairs) / reached[-1]
        picks = rounds * max(1, round(sentences / a_batch))
        phase = (0.5 + self._series * _GOLDEN) % 1
        self._series += 1
        places = ((index + phase) / picks * reached[-1] for index in range(picks))
        positions = [bisect_right(reached, place) for place in places]
        return [positions[start::rounds] for start in range(rounds)]

    def decode(self, positions: Sequence[int]) -> Rates:
        """Decode some batches, and return the rates that this means for the whole corpus."""
        for position in positions:
            self._connection.send(position)
            self._done.append((position, self._connection.recv()))
        return self._rates(self._done[-len(positions) :])

    def summary(self) -> dict[str, float]:
        """Return speeds for the whole corpus, and what was decoded to find them."""
        rates = self._rates(self._done)
        return {
            "sentences_per_s": rates.wall,
            "sentences_per_cpu_s": rates.cpu,
            "peak_memory_gib": max(spent.peak_bytes for _, spent in self._done) / 2**30,
            "decoded_batches": len(self._done),
            "decoded_sentences": sum(self._sentences[position] for position, _ in self._done),
            "seconds": sum(spent.seconds for _, spent in self._done),
            "cpu_seconds": sum(spent.cpu_seconds for _, spent in self._done),
            "batches": len(self._sentences),
            "sentences": sum(self._sentences),
        }

    def _rates(self, done: Sequence[tuple[int, Spent]]) -> Rates:
        seconds = fmean(spent.seconds / self._work[position] for position, spent in done)
        cpu_seconds = fmean(spent.cpu_seconds / self._work[position] for position, spent in done)
        sentences = sum(self._sentences) / sum(self._work)
        return Rates(sentences / seconds, sentences / cpu_seconds)


def alternate(
    reference: Worker, workers: Mapping[str, Worker], sentences: tuple[int, int], rounds: int
) -> dict[str, list[Rates]]:
    """Let a reference and others take turns.

    Args:
        reference: Decodes first in each round.
        workers: The others, by name.
        sentences: How many the reference decodes a round, and how many each of the others.
        rounds: How many rounds.

    Returns:
        For each of the others, how many times faster the reference was in each round.
    """
    own = reference.rounds(sentences[0], rounds)
    others = {name: worker.rounds(sentences[1], rounds) for name, worker in workers.items()}
    ratios: dict[str, list[Rates]] = {name: [] for name in workers}
    for number in range(rounds):
        rates = reference.decode(own[number])
        for name, worker in workers.items():
            ratios[name].append(rates.over(worker.decode(others[name][number])))
    return ratios
