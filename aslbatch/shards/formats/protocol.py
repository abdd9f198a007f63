"""What every file format offers: `scan` once when the plan is made, `read` once a piece."""

from array import array
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from aslbatch.rejects import Rejection
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source


@dataclass(frozen=True, slots=True)
class Index:
    """What a scan found in a source.

    Attributes:
        rows: Number of rows.
        schema: Columns of the source.
        offsets: Byte offsets in the decompressed content: of every `mark_every`-th row, beginning
            with the first, and of the end of the last row. Empty for formats that are not read
            by bytes.
        unpacked_bytes: About how many bytes all columns take in memory, where there are no offsets.
        guessed_types: Whether the types are those of some values, so that null is a type only for
            want of others.
    """

    rows: int
    schema: pa.Schema
    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    unpacked_bytes: int = 0
    guessed_types: bool = False

    @property
    def row_bytes(self) -> float:
        """About how many bytes a row takes in memory."""
        total = self.offsets[-1] - self.offsets[0] if self.offsets else self.unpacked_bytes
        return total / max(self.rows, 1)


@dataclass(frozen=True, slots=True)
class RawRows:
    """The rows of a piece as they lie in the source.

    Attributes:
        columns: One array for each field of the schema asked for, of exactly its type.
        text: The text column as string, null where there is none.
        rejects: For rows that cannot be used, by position in the piece: reason and detail.
    """

    columns: list[pa.Array | pa.ChunkedArray]
    text: pa.Array
    rejects: dict[int, Rejection]


class Format(Protocol):
    """The two functions that a module of this package offers."""

    def scan(
        self, source: Source, *, reading: Reading, mark_every: int, limit: int | None
    ) -> Index:
        """Count the rows of a source, and note where they begin, in constant memory.

        Args:
            source: The file.
            reading: How the job reads its sources.
            mark_every: Rows between two offsets of the index.
            limit: Rows after which to stop, or None.

        Raises:
            SourceError: The file cannot be read, or has no such text column of strings.
        """

    def read(self, piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
        """Read the rows of a piece, in order.

        Args:
            piece: What to read.
            schema: The columns to keep and their types.
            reading: How the job reads its sources; the text column need not be among those kept.

        Raises:
            SourceError: The file cannot be read, or is not what it was when it was scanned.
        """
