"""A shard: some pieces of sources, and all that is needed to read them again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from aslbatch.shards.source import Source, source_from_dict


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive rows of one source.

    Attributes:
        source: The file.
        row_start: Number of the first row in the source, from 0; a CSV header is not a row.
        rows: Number of rows.
        byte_start: Where the first row begins in the decompressed content; None where the
            format is not read by bytes.
        byte_end: Where the last row ends in the decompressed content; None where the
            format is not read by bytes.
    """

    source: Source
    row_start: int
    rows: int
    byte_start: int | None = None
    byte_end: int | None = None

    def __str__(self) -> str:
        return f"{self.source.uri} row {self.row_start}"


@dataclass(frozen=True)
class Shard:
    """The unit of work: a piece of a large source, or several small sources.

    Attributes:
        name: `part-{index:06d}-{8 hex of the identity}`, the stem of all files of this shard.
        index: Position in the plan.
        pieces: What it is made of, in order; at least one.
    """

    name: str
    index: int
    pieces: tuple[Piece, ...]

    @cached_property
    def rows(self) -> int:
        """Number of rows."""
        return sum(piece.rows for piece in self.pieces)


def shard_name(index: int, pieces: Sequence[Piece]) -> str:
    """Return the name of a shard, which tells it apart from one of any other pieces."""
    identity = json.dumps([[p.source.uri, p.source.format, p.row_start, p.rows] for p in pieces])
    return f"part-{index:06d}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def shard_to_json(shard: Shard) -> str:
    """Return a shard as text, to travel in a Ray row."""
    return json.dumps(asdict(shard), sort_keys=True)


def shard_from_json(text: str) -> Shard:
    """Return the shard that `shard_to_json` wrote."""
    fields = json.loads(text)
    pieces = tuple(map(piece_from_dict, fields["pieces"]))
    return Shard(fields["name"], fields["index"], pieces)


def piece_from_dict(fields: Mapping[str, Any]) -> Piece:
    """Return a piece from what `dataclasses.asdict` made of it."""
    return Piece(**{**fields, "source": source_from_dict(fields["source"])})
