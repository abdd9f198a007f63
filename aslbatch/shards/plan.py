"""The plan of a job: every shard, with exact row counts, before work begins."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.errors import SinkError, SourceError
from aslbatch.shards.columns import keep_columns
from aslbatch.shards.formats.protocol import Index
from aslbatch.shards.formats.registry import FORMATS
from aslbatch.shards.shard import Shard, shard_from_json, shard_name, shard_to_json
from aslbatch.shards.sources import Source

__all__ = [
    "Plan",
    "Shard",
    "auto_shard_rows",
    "make_plan",
    "plan_from_parquet",
    "plan_to_parquet",
    "shard_from_json",
    "shard_to_json",
]

MIN_SHARD_ROWS = 2_048
MAX_SHARD_ROWS = 131_072
SHARDS_PER_WORKER = 8

_SHARD_SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("index", pa.int64(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("compression", pa.string(), nullable=False),
        pa.field("row_start", pa.int64(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("byte_start", pa.int64()),
        pa.field("byte_end", pa.int64()),
        pa.field("text_bytes", pa.int64(), nullable=False),
        pa.field("source_size", pa.int64(), nullable=False),
        pa.field("source_version", pa.string(), nullable=False),
    ]
)
_COLUMNS_KEY = b"aslbatch.source_schema"
_FINGERPRINTS_KEY = b"aslbatch.fingerprints"


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

    @property
    def text_bytes(self) -> int:
        """About how many bytes of UTF-8 text there are to translate."""
        return sum(shard.text_bytes for shard in self.shards)


def auto_shard_rows(total_rows: int, workers: int) -> int:
    """Return the rows a shard for a job of this size.

    The rule: at least 8 shards a worker, so that the last ones to finish keep few workers
    waiting; a multiple of 2,048, from 2,048, below which the cost of a task shows, to 131,072,
    beyond which a killed worker loses much.
    """
    rows = total_rows // (SHARDS_PER_WORKER * max(workers, 1))
    return min(max(rows - rows % MIN_SHARD_ROWS, MIN_SHARD_ROWS), MAX_SHARD_ROWS)


def make_plan(
    sources: Sequence[Source],
    *,
    text_column: str,
    columns: Literal["all"] | Sequence[str],
    shard_rows: int | Callable[[int], int],
    limit: int | None,
    storage_options: Mapping[str, Any],
) -> Plan:
    """Scan all sources once and cut them into shards; no shard spans two sources.

    Args:
        sources: The files, in the order in which their rows are numbered into shards.
        text_column: Name of the column to translate.
        columns: Source columns to keep: `all`, or their names.
        shard_rows: Rows a shard, or what returns them for the total of rows; the latter is
            rounded down to a multiple of 2,048.
        limit: Rows after which to stop, for a trial; sources beyond are not looked at.
        storage_options: Passed to fsspec.

    Raises:
        SourceError: A source cannot be read, has no such text column, does not fit the others,
            has columns named like aslbatch's own, or there are no rows at all.
    """
    mark_every = shard_rows if isinstance(shard_rows, int) else MIN_SHARD_ROWS
    scanned = list(_scan(sources, text_column, mark_every, limit, storage_options))
    total_rows = sum(index.rows for _, index in scanned)
    if total_rows == 0:
        names = ", ".join(source.uri for source in sources)
        raise SourceError(f"there are no rows in {names}; check source.paths and --limit")
    schema = keep_columns([(source.uri, index.schema) for source, index in scanned], columns)
    if not isinstance(shard_rows, int):
        shard_rows = max(shard_rows(total_rows) // mark_every, 1) * mark_every
    shards: list[Shard] = []
    for source, index in scanned:
        shards += _cut(source, index, shard_rows, mark_every, first_index=len(shards))
    return Plan(tuple(shards), schema, tuple(_fingerprint(source) for source, _ in scanned))


def plan_to_parquet(plan: Plan) -> bytes:
    """Return the bytes of `_plan/plan.parquet`; equal plans give equal bytes."""
    metadata = {
        # Parquet metadata has to be text.
        _COLUMNS_KEY: base64.b64encode(plan.schema.serialize().to_pybytes()),
        _FINGERPRINTS_KEY: json.dumps(plan.fingerprints).encode(),
    }
    rows = [asdict(shard) for shard in plan.shards]
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(rows, _SHARD_SCHEMA.with_metadata(metadata))
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def plan_from_parquet(data: bytes) -> Plan:
    """Read what `plan_to_parquet` wrote.

    Raises:
        SinkError: The bytes are not a plan.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
        metadata = table.schema.metadata or {}
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(metadata[_COLUMNS_KEY])))
        fingerprints = tuple(json.loads(metadata[_FINGERPRINTS_KEY]))
        shards = tuple(Shard(**row) for row in table.to_pylist())
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise SinkError(
            f"the stored plan cannot be read: {error!r}; start afresh with --overwrite"
        ) from error
    return Plan(shards, schema, fingerprints)


def _fingerprint(source: Source) -> dict[str, str | int]:
    return {"uri": source.uri, "size": source.size, "version": source.version}


def _scan(
    sources: Sequence[Source],
    text_column: str,
    mark_every: int,
    limit: int | None,
    storage_options: Mapping[str, Any],
) -> Iterator[tuple[Source, Index]]:
    for source in sources:
        if limit == 0:
            return
        index = FORMATS[source.format].scan(
            source,
            text_column=text_column,
            mark_every=mark_every,
            limit=limit,
            storage_options=storage_options,
        )
        yield source, index
        limit = None if limit is None else limit - index.rows


def _cut(
    source: Source, index: Index, shard_rows: int, mark_every: int, *, first_index: int
) -> Iterator[Shard]:
    for number, start in enumerate(range(0, index.rows, shard_rows), first_index):
        rows = min(shard_rows, index.rows - start)
        byte_start = byte_end = None
        share, whole = rows, index.rows
        if index.offsets:
            byte_start = index.offsets[start // mark_every]
            byte_end = index.offsets[-(-(start + rows) // mark_every)]
            share, whole = byte_end - byte_start, index.offsets[-1] - index.offsets[0]
        yield Shard(
            name=shard_name(
                number, uri=source.uri, file_format=source.format, row_start=start, rows=rows
            ),
            index=number,
            uri=source.uri,
            path=source.path,
            format=source.format,
            compression=source.compression,
            row_start=start,
            rows=rows,
            byte_start=byte_start,
            byte_end=byte_end,
            text_bytes=index.text_bytes * share // whole,
            source_size=source.size,
            source_version=source.version,
        )
