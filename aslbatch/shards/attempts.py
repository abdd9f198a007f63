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
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from aslbatch.rejects import Rejection, rejections, set_column, with_rejections
from aslbatch.schema import TEXT, RejectReason
from aslbatch.shards.layout import ATTEMPTS
from aslbatch.shards.plan import Shard
from aslbatch.shards.storage import Storage

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
        earlier = [
            json.loads(self._storage.read(f"{folder}/{name}")) for name in self._names(folder)
        ]
        note = _Note(self._storage, f"{folder}/{uuid.uuid4().hex}.json")
        note.write({})
        if len(earlier) < self.max_attempts:
            with _time_limit(self.timeout_s, note):
                return stage(table, on_rows)
        if len(earlier) >= self.max_attempts + _MOST_ISOLATIONS:
            everything = Range(0, table.num_rows)
            return stage(_reject(table, everything, earlier[-1], len(earlier)), on_rows)
        return self._isolate(table, stage, on_rows, earlier, note)

    def _names(self, folder: str) -> list[str]:
        return self._storage.names(folder)

    def _isolate(
        self,
        table: pa.Table,
        stage: Stage,
        on_rows: Callable[[int], None],
        earlier: Sequence[dict[str, object]],
        note: "_Note",
    ) -> pa.Table:
        fatal = {Range(*at): attempt for attempt in earlier if (at := attempt.get("at"))}
        done = []
        for piece in _pieces(Range(0, table.num_rows), set(fatal)):
            rows = table.slice(piece.start, len(piece))
            if piece in fatal:
                rows = _reject(rows, Range(0, 1), fatal[piece], len(earlier))
            note.write({"at": [piece.start, piece.stop]})
            with _time_limit(self.timeout_s, note):
                done.append(stage(rows, lambda n, start=piece.start: on_rows(start + n)))
        return pa.concat_tables(done).unify_dictionaries().combine_chunks()


class _Note:
    """The file of one attempt: empty, or the piece that it is at."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._name = name
        self.content: dict[str, object] = {}

    def write(self, content: dict[str, object]) -> None:
        self.content = content
        self._storage.publish(self._name, json.dumps(content).encode())


def _pieces(whole: Range, fatal: set[Range]) -> Iterator[Range]:
    """Cut a range until no piece of more than one row is known to be fatal."""
    step = max(1, -(-len(whole) // _PIECES))
    for start in range(whole.start, whole.stop, step):
        piece = Range(start, min(start + step, whole.stop))
        if piece in fatal and len(piece) > 1:
            yield from _pieces(piece, fatal)
        else:
            yield piece


@contextmanager
def _time_limit(timeout_s: float | None, note: _Note) -> Iterator[None]:
    """End this process when the time is up: a hanging native call heeds nothing less."""
    if timeout_s is None:
        yield
        return

    def give_up() -> None:
        note.write({**note.content, "timed_out_s": timeout_s})
        os._exit(_TIMED_OUT_EXIT)

    timer = threading.Timer(timeout_s, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _reject(table: pa.Table, rows: Range, attempt: dict[str, object], attempts: int) -> pa.Table:
    """Return the table with a range of its rows rejected, those already rejected left alone."""
    timeout_s = attempt.get("timed_out_s")
    if timeout_s is None:
        found: Rejection = (
            RejectReason.WORKER_DIED,
            f"the worker died on this row in attempt {attempts}; out of memory, or a crash",
        )
    else:
        found = (
            RejectReason.TIMED_OUT,
            f"not done after run.shard_timeout_s = {timeout_s} s in attempt {attempts}",
        )
    known = rejections(table)
    texts = table[TEXT].to_pylist()
    for row in range(rows.start, rows.stop):
        if known[row] is None:
            known[row], texts[row] = found, None
    return with_rejections(set_column(table, TEXT, pa.array(texts, pa.string())), known)
