"""The plan of a job: every shard, with exact row counts, before work begins."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import pyarrow as pa

from aslbatch.errors import SourceError
from aslbatch.schema import RESERVED_COLUMNS
from aslbatch.shards.columns import keep_columns
from aslbatch.shards.formats.protocol import Index
from aslbatch.shards.formats.registry import FORMATS
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece, Shard, shard_name
from aslbatch.shards.source import Source

MIN_SHARD_ROWS = 2_048
MAX_SHARD_ROWS = 131_072
SHARDS_PER_WORKER = 8
MAX_PIECES = 1_024
MAX_SHARD_BYTES = 1 << 28
AUTO_SHARD_BYTES = 1 << 26

_SCANNERS = 16
_NAMED_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job will do.

    Attributes:
        shards: All shards, in the order of their index.
        schema: The source columns that are kept.
        fingerprints: `uri`, `size` in bytes and `version` of each source that is read.
    """

    shards: tuple[Shard, ...]
    schema: pa.Schema
    fingerprints: tuple[dict[str, str | int], ...]

    @property
    def rows(self) -> int:
        """Number of rows in all shards."""
        return sum(shard.rows for shard in self.shards)


def auto_shard_rows(total_rows: int, row_bytes: float, *, workers: int) -> int:
    """Return the rows a shard for a job of this size.

    The rule: at least 8 shards a worker, so that the last ones to finish keep few workers
    waiting; a multiple of 2,048, from 2,048, below which the cost of a task shows, to 131,072,
    beyond which a killed worker loses much; and no more than take 64 MiB, since several shards are
    in memory at a time.

    Args:
        total_rows: Rows of the job.
        row_bytes: Bytes of a row, those of the source with the longest ones.
        workers: Model replicas.
    """
    rows = total_rows // (SHARDS_PER_WORKER * max(workers, 1))
    rows = min(rows, MAX_SHARD_ROWS, int(AUTO_SHARD_BYTES / max(row_bytes, 1.0)))
    return max(rows - rows % MIN_SHARD_ROWS, MIN_SHARD_ROWS)


def make_plan(
    sources: Sequence[Source],
    *,
    reading: Reading,
    columns: Literal["all"] | Sequence[str] = "all",
    shard_rows: int | Callable[[int, float], int],
    limit: int | None = None,
    reserved: Collection[str] = RESERVED_COLUMNS,
) -> Plan:
    """Scan all sources once and cut them into shards.

    A source with more rows than a shard takes is cut; neighbors with fewer share one.

    Args:
        sources: The files, in the order in which their rows are numbered into shards.
        reading: How they are read.
        columns: Source columns to keep: `all`, or their names.
        shard_rows: Rows a shard, or what returns them for the total of rows and the bytes of a
            row; the latter is rounded down to a multiple of 2,048.
        limit: Rows after which to stop, for a trial; sources beyond are not looked at.
        reserved: Names that the job gives to columns of its own.

    Raises:
        SourceError: A source cannot be read, has no such text column, does not fit the others,
            has columns named like aslbatch's own, or there are no rows at all. Of faults in
            several sources all are told.
    """
    mark_every = shard_rows if isinstance(shard_rows, int) else MIN_SHARD_ROWS
    scanned = _scan_all(sources, reading, mark_every, limit)
    total_rows = sum(index.rows for _, index in scanned)
    if total_rows == 0:
        names = ", ".join(source.uri for source in sources[:_NAMED_FAULTS])
        raise SourceError(f"there are no rows in {names}; check source.paths and --limit")
    schemas = [(source.uri, index.schema) for source, index in scanned]
    guessed = {name for _, index in scanned if index.guessed_types for name in index.schema.names}
    schema = keep_columns(schemas, columns, guessed=guessed, reserved=reserved)
    if not isinstance(shard_rows, int):
        row_bytes = max(index.row_bytes for _, index in scanned)
        shard_rows = max(shard_rows(total_rows, row_bytes) // mark_every, 1) * mark_every
    pieces = (
        (piece, piece.rows * index.row_bytes)
        for source, index in scanned
        for piece in _cut(source, index, shard_rows, mark_every)
    )
    shards = [
        Shard(shard_name(number, group), number, group)
        for number, group in enumerate(_group(pieces, shard_rows))
    ]
    return Plan(tuple(shards), schema, tuple(_fingerprint(source) for source, _ in scanned))


def _fingerprint(source: Source) -> dict[str, str | int]:
    return {"uri": source.uri, "size": source.size, "version": source.version}


def _scan_all(
    sources: Sequence[Source], reading: Reading, mark_every: int, limit: int | None
) -> list[tuple[Source, Index]]:
    """Scan sources in their order, several at a time where there is no limit.

    Files of one archive are scanned one after the other, since an archive is read from its front.
    """
    if limit is not None:
        return list(_scan(sources, reading, mark_every, limit))
    batches = [list(files) for _, files in groupby(sources, lambda source: source.container)]
    scanned: list[tuple[Source, Index]] = []
    faults: list[str] = []
    with ThreadPoolExecutor(_SCANNERS) as pool:
        for found, fault in pool.map(lambda b: _scan_batch(b, reading, mark_every), batches):
            scanned += found
            faults += fault
    if faults:
        more = len(faults) - _NAMED_FAULTS
        rest = [f"and {more} more sources have faults"] if more > 0 else []
        raise SourceError("\n".join(faults[:_NAMED_FAULTS] + rest))
    return scanned


def _scan_batch(
    sources: Sequence[Source], reading: Reading, mark_every: int
) -> tuple[list[tuple[Source, Index]], list[str]]:
    """Return what was found, and what is wrong with the sources that cannot be scanned."""
    scanned: list[tuple[Source, Index]] = []
    faults: list[str] = []
    for source in sources:
        try:
            scanned += _scan([source], reading, mark_every, None)
        except SourceError as error:
            faults.append(error.message)
    return scanned, faults


def _scan(
    sources: Iterable[Source], reading: Reading, mark_every: int, limit: int | None
) -> Iterator[tuple[Source, Index]]:
    for source in sources:
        if limit == 0:
            return
        index = FORMATS[source.format].scan(
            source, reading=reading, mark_every=mark_every, limit=limit
        )
        yield source, index
        limit = None if limit is None else limit - index.rows


def _cut(source: Source, index: Index, shard_rows: int, mark_every: int) -> Iterator[Piece]:
    """Cut a source into pieces of at most `shard_rows` rows."""
    for start in range(0, index.rows, shard_rows):
        rows = min(shard_rows, index.rows - start)
        if not index.offsets:
            yield Piece(source, start, rows)
            continue
        byte_start = index.offsets[start // mark_every]
        byte_end = index.offsets[-(-(start + rows) // mark_every)]
        if byte_end - byte_start > MAX_SHARD_BYTES:
            raise SourceError(
                f"{source.uri} rows {start} to {start + rows - 1}: {byte_end - byte_start} bytes, "
                f"more than fit a shard ({MAX_SHARD_BYTES}); is it a file of lines? "
                "If so, set a smaller run.shard_rows"
            )
        yield Piece(source, start, rows, byte_start, byte_end)


def _group(pieces: Iterable[tuple[Piece, float]], shard_rows: int) -> Iterator[tuple[Piece, ...]]:
    """Put neighbors, given with the bytes that they take, together while they fit one shard."""
    group: list[Piece] = []
    rows, size_bytes = 0, 0.0
    for piece, piece_bytes in pieces:
        fits = rows + piece.rows <= shard_rows and size_bytes + piece_bytes <= MAX_SHARD_BYTES
        if group and not (fits and len(group) < MAX_PIECES):
            yield tuple(group)
            group, rows, size_bytes = [], 0, 0.0
        group.append(piece)
        rows += piece.rows
        size_bytes += piece_bytes
    if group:
        yield tuple(group)
