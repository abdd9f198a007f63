"""A shard: a piece of one source, and all that is needed to read it again."""

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """A run of consecutive rows of one source.

    Attributes:
        name: `part-{index:06d}-{8 hex of the identity}`, the stem of all files of this shard.
        index: Position in the plan.
        uri: Name of the source in output rows.
        path: Full path or URL that opens the source.
        format: Format of the source, as in `aslbatch.shards.sources.Source`.
        compression: Compression of the source.
        row_start: Number of the first row in the source, from 0; a CSV header is not a row.
        rows: Number of rows.
        byte_start: Where the first row begins in the decompressed content; None where the
            format is not read by bytes.
        byte_end: Where the last row ends in the decompressed content; None where the
            format is not read by bytes.
        text_bytes: About how many bytes of UTF-8 text there are to translate.
        source_size: Stored size of the source in bytes when the plan was made.
        source_version: Version of the source when the plan was made.
    """

    name: str
    index: int
    uri: str
    path: str
    format: str
    compression: str
    row_start: int
    rows: int
    byte_start: int | None
    byte_end: int | None
    text_bytes: int
    source_size: int
    source_version: str


def shard_name(index: int, *, uri: str, file_format: str, row_start: int, rows: int) -> str:
    """Return the name of a shard, which tells it apart from any other piece of any source."""
    identity = json.dumps([uri, file_format, row_start, rows])
    return f"part-{index:06d}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def shard_to_json(shard: Shard) -> str:
    """Return a shard as text, to travel in a Ray row."""
    return json.dumps(asdict(shard), sort_keys=True)


def shard_from_json(text: str) -> Shard:
    """Return the shard that `shard_to_json` wrote."""
    return Shard(**json.loads(text))
