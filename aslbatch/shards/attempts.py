"""Shards whose worker dies: attempts are counted, and the row that kills is found.

Ray starts a dead actor anew and gives it the same shard, for ever. Here each attempt leaves a
small file. The first `max_attempts` are plain retries, since most workers die of something else
than their data. Every further attempt goes through the shard in pieces and notes the piece that
it is at, so that the next one knows where the last one died and cuts that piece smaller, until a
row is left alone: it is rejected, and the others are translated.
"""

import json
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

import pyarrow as pa

from aslbatch.rejects import Rejection, rejections, set_column, with_rejections
from aslbatch.schema import TEXT, RejectReason
from aslbatch.shards.layout import ATTEMPTS
from aslbatch.shards.shard import Shard
from aslbatch.storage.folder import Storage

Stage = Callable[[pa.Table, Callable[[int], None]], pa.Table]

_PIECES = 16
_MOST_ISOLATIONS = 32
_TIMED_OUT_EXIT = 70


@dataclass(frozen=True, slots=True)
class Range:
    """Rows of a shard, from `start` up to but without `stop`."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt left behind.

    Attributes:
        at: The piece that it was at, None for the shard as a whole.
        timed_out_s: The time limit that ended it, None where something else did.
    """

    at: Range | None = None
    timed_out_s: float | None = None

    def to_json(self) -> bytes:
        """Return the attempt as it is stored."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Attempt":
        """Return the attempt that `to_json` wrote."""
        fields = json.loads(data)
        return cls(Range(**fields["at"]) if fields["at"] else None, fields["timed_out_s"])


class Attempts:
    """Runs a stage over shards and survives rows that kill or hang the process.

    Attributes:
        max_attempts: Plain attempts before a shard is taken apart.
        timeout_s: Seconds after which an attempt counts as hanging; None for no limit.
    """

    def __init__(
        self, storage: Storage, *, driver_id: str, max_attempts: int, timeout_s: float | None
    ) -> None:
        self._storage = storage
        self._folder = f"{ATTEMPTS}/{driver_id}"
        self.max_attempts = max_attempts
        self.timeout_s = timeout_s

    def run(
        self, shard: Shard, table: pa.Table, stage: Stage, on_rows: Callable[[int], None]
    ) -> pa.Table:
        """Return what the stage makes of a shard, rows that kill their worker rejected."""
        folder = f"{self._folder}/{shard.name}"
        earlier = list(self._earlier(folder))
        note = _Note(self._storage, f"{folder}/{uuid.uuid4().hex}.json", self.timeout_s)
        if len(earlier) < self.max_attempts:
            with note.of(None):
                return stage(table, on_rows)
        if len(earlier) >= self.max_attempts + _MOST_ISOLATIONS:
            return stage(_reject(table, earlier[-1], len(earlier)), on_rows)
        return _isolate(table, stage, on_rows, earlier, note)

    def _earlier(self, folder: str) -> Iterator[Attempt]:
        for name in self._storage.names(folder):
            # Another driver on this output that finishes takes the notes of all away.
            with suppress(FileNotFoundError):
                yield Attempt.from_json(self._storage.read(f"{folder}/{name}"))


class _Note:
    """The file of one attempt, and the watch over its time."""

    def __init__(self, storage: Storage, name: str, timeout_s: float | None) -> None:
        self._storage = storage
        self._name = name
        self._timeout_s = timeout_s

    @contextmanager
    def of(self, piece: Range | None) -> Iterator[None]:
        """Note what is being done, and end this process when it takes too long.

        The process as a whole, since a hanging native call heeds nothing less.
        """
        self._storage.publish(self._name, Attempt(piece).to_json())
        if self._timeout_s is None:
            yield
            return
        timer = threading.Timer(self._timeout_s, self._give_up, (piece,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _give_up(self, piece: Range | None) -> None:
        try:
            self._storage.publish(self._name, Attempt(piece, self._timeout_s).to_json())
        finally:  # on a full disk too: a process that hangs must end
            os._exit(_TIMED_OUT_EXIT)


def _isolate(
    table: pa.Table,
    stage: Stage,
    on_rows: Callable[[int], None],
    earlier: Sequence[Attempt],
    note: _Note,
) -> pa.Table:
    """Run the stage piece by piece; rows that were alone when a worker died are rejected."""
    fatal = {attempt.at: attempt for attempt in earlier if attempt.at is not None}
    done = []
    for piece in _pieces(Range(0, table.num_rows), set(fatal)):
        rows = table.slice(piece.start, len(piece))
        if piece in fatal:
            rows = _reject(rows, fatal[piece], len(earlier))
        with note.of(piece):
            done.append(stage(rows, _nothing))
        on_rows(piece.stop)
    return pa.concat_tables(done).unify_dictionaries().combine_chunks()


def _nothing(_: int) -> None:
    """Report nothing: the progress inside of a piece is not worth a message."""


def _pieces(whole: Range, fatal: set[Range]) -> Iterator[Range]:
    """Cut a range until no piece of more than one row is known to be fatal."""
    step = max(1, -(-len(whole) // _PIECES))
    for start in range(whole.start, whole.stop, step):
        piece = Range(start, min(start + step, whole.stop))
        if piece in fatal and len(piece) > 1:
            yield from _pieces(piece, fatal)
        else:
            yield piece


def _reject(table: pa.Table, attempt: Attempt, attempts: int) -> pa.Table:
    """Return the table with all of its rows rejected, those already rejected left alone."""
    found: Rejection = (
        RejectReason.WORKER_DIED,
        f"the worker died on it in each of {attempts} attempts: out of memory, or a crash",
    )
    if attempt.timed_out_s is not None:
        found = (
            RejectReason.TIMED_OUT,
            f"not done after run.shard_timeout_s = {attempt.timed_out_s} s, {attempts} attempts "
            f"were made",
        )
    texts = pa.nulls(table.num_rows, pa.string())
    return with_rejections(
        set_column(table, TEXT, texts), [known or found for known in rejections(table)]
    )
