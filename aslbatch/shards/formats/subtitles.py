"""Subtitles: a cue is a row, in the order of the file; every kind of file has the same columns."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from aslbatch.errors import DamagedSourceError, SourceError
from aslbatch.schema import RejectReason
from aslbatch.shards.columns import check_text_column
from aslbatch.shards.formats.content import BOM, open_content
from aslbatch.shards.formats.cues import Cue, parse_cues
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.shard import Shard
from aslbatch.shards.sources import Source

MAX_FILE_BYTES = 1 << 26
"""Cues are parsed in memory; a larger file is none that people watch, or a decompression bomb."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Of the bytes that Windows-1252 leaves open, browsers take the control characters.
_OPEN_BYTES = {0xDC00 + byte: byte for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}


def scan(
    source: Source,
    *,
    text_column: str,
    mark_every: int,
    limit: int | None,
    storage_options: Mapping[str, Any],
) -> Index:
    """Parse the file; see `aslbatch.shards.formats.protocol.Format`.

    Subtitle files are too small for marks, so `mark_every` has no effect.
    """
    del mark_every
    schema = pa.schema(
        [
            (text_column, pa.string()),
            ("cue", pa.int32()),
            ("start_ms", pa.int64()),
            ("end_ms", pa.int64()),
            ("speaker", pa.string()),
        ]
    )
    check_text_column(source.uri, schema, text_column)
    cues = _cues(source, storage_options)[:limit]
    return Index(len(cues), schema, sum(len(cue.text.encode()) for cue in cues))


def read(
    shard: Shard, *, schema: pa.Schema, text_column: str, storage_options: Mapping[str, Any]
) -> RawRows:
    """Parse the file again and cut out the shard; see `aslbatch.shards.formats.protocol.Format`."""
    end = shard.row_start + shard.rows
    cues = _cues(shard, storage_options)[shard.row_start : end]
    text = pa.array([None if cue.fault else cue.text for cue in cues], pa.string())
    arrays = {
        text_column: text,
        "cue": pa.array(range(shard.row_start + 1, shard.row_start + 1 + len(cues)), pa.int32()),
        "start_ms": pa.array([cue.start_ms for cue in cues], pa.int64()),
        "end_ms": pa.array([cue.end_ms for cue in cues], pa.int64()),
        "speaker": pa.array([cue.speaker for cue in cues], pa.string()),
    }
    columns = [
        arrays[field.name].cast(field.type)
        if field.name in arrays
        else pa.nulls(len(cues), field.type)
        for field in schema
    ]
    rejects = {
        row: (RejectReason.INVALID_ROW, cue.fault) for row, cue in enumerate(cues) if cue.fault
    }
    return RawRows(columns, text, rejects)


def decode(data: bytes) -> str:
    """Decode a subtitle file, whatever it is encoded in.

    The rule: UTF-16 where there is its byte order mark, else UTF-8, and each line that is no UTF-8
    is Windows-1252, so that files put together from several are read right too.
    """
    if data.startswith(_UTF16_MARKS):
        return data.decode("utf-16", errors="replace")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\n".join(map(_decode_line, data.split(b"\n")))
    return text.removeprefix(BOM)


def _decode_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="surrogateescape").translate(_OPEN_BYTES)


def _cues(file: Source | Shard, storage_options: Mapping[str, Any]) -> list[Cue]:
    with open_content(file, storage_options) as content:
        data = content.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise SourceError(
            f"{file.uri}: more than {MAX_FILE_BYTES >> 20} MiB of subtitles in one file; "
            "cut it into several"
        )
    cues = parse_cues(decode(data), file.format)
    if cues is None:
        raise DamagedSourceError(
            f"{file.uri}: no subtitles in it: not one line with the times of a cue; "
            "is it of the format that its ending or source.format says, and in UTF-8?"
        )
    return cues
