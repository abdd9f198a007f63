"""What every file format offers: `scan` once when the plan is made, `read` once a shard."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from aslbatch.rejects import Rejection
from aslbatch.shards.shard import Shard
from aslbatch.shards.sources import Source


@dataclass(frozen=True, slots=True)
class Index:
    """What a scan found in a source.

    Attributes:
        rows: Number of rows.
        schema: Columns of the source.
        text_bytes: About how many bytes of UTF-8 text the text column holds.
        offsets: Byte offsets in the decompressed content: of every `mark_every`-th row, beginning
            with the first, and of the end of the last row. Empty for Parquet and
            subtitles.
    """

    rows: int
    schema: pa.Schema
    text_bytes: int
    offsets: "array[int]" = field(default_factory=lambda: array("q"))


@dataclass(frozen=True, slots=True)
class RawRows:
    """The rows of a shard as they lie in the source.

    Attributes:
        columns: One array for each field of the schema asked for, of exactly its type.
        text: The text column as string, null where there is none.
        rejects: For rows that cannot be used, by position in the shard: reason and detail.
    """

    columns: list[pa.Array | pa.ChunkedArray]
    text: pa.Array
    rejects: dict[int, Rejection]


class Format(Protocol):
    """The two functions that a module of this package offers."""

    def scan(
        self,
        source: Source,
        *,
        text_column: str,
        mark_every: int,
        limit: int | None,
        storage_options: Mapping[str, Any],
    ) -> Index:
        """Count the rows of a source, and note where they begin, in constant memory.

        Args:
            source: The file.
            text_column: Name of the column to translate.
            mark_every: Rows between two offsets of the index.
            limit: Rows after which to stop, or None.
            storage_options: Passed to fsspec.

        Raises:
            SourceError: The file cannot be read, or has no such text column of strings.
        """

    def read(
        self,
        shard: Shard,
        *,
        schema: pa.Schema,
        text_column: str,
        storage_options: Mapping[str, Any],
    ) -> RawRows:
        """Read the rows of a shard, in order.

        Args:
            shard: What to read.
            schema: The columns to keep and their types.
            text_column: Name of the column to translate, which need not be among them.
            storage_options: Passed to fsspec.

        Raises:
            SourceError: The file cannot be read, or is not what it was when it was scanned.
        """
