"""Subtitles: cues, turns or sentences are the rows; every kind of file has the same columns."""

import pyarrow as pa

from aslbatch.errors import DamagedSourceError, SourceError
from aslbatch.shards.columns import check_text_column
from aslbatch.shards.formats.content import BOM, open_content
from aslbatch.shards.formats.cues import parse_cues
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.formats.segments import Segment, segment
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source

MAX_FILE_BYTES = 1 << 26
"""Cues are parsed in memory; a larger file is none that people watch, or a decompression bomb."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Of the bytes that Windows-1252 leaves open, browsers take the control characters.
_OPEN_BYTES = {0xDC00 + byte: byte for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}


def scan(source: Source, *, reading: Reading, mark_every: int, limit: int | None) -> Index:
    """Parse the file; see `aslbatch.shards.formats.protocol.Format`.

    Subtitle files are too small for marks, so `mark_every` has no effect.
    """
    del mark_every
    schema = pa.schema(
        [
            (reading.text_column, pa.string()),
            ("first_cue", pa.int32()),
            ("last_cue", pa.int32()),
            ("start_ms", pa.int64()),
            ("end_ms", pa.int64()),
            ("speaker", pa.string()),
        ]
    )
    check_text_column(source.uri, schema, reading.text_column)
    size = source.member.size if source.member else source.size
    return Index(len(_segments(source, reading)[:limit]), schema, unpacked_bytes=size)


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Parse the file again and cut out the piece; see `aslbatch.shards.formats.protocol.Format`."""
    end = piece.row_start + piece.rows
    rows = _segments(piece.source, reading)[piece.row_start : end]
    text = pa.array([None if row.reject else row.text for row in rows], pa.string())
    arrays = {
        reading.text_column: text,
        "first_cue": pa.array([row.first_cue for row in rows], pa.int32()),
        "last_cue": pa.array([row.last_cue for row in rows], pa.int32()),
        "start_ms": pa.array([row.start_ms for row in rows], pa.int64()),
        "end_ms": pa.array([row.end_ms for row in rows], pa.int64()),
        "speaker": pa.array([row.speaker for row in rows], pa.string()),
    }
    columns = [
        arrays[field.name].cast(field.type)
        if field.name in arrays
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    rejects = {number: row.reject for number, row in enumerate(rows) if row.reject}
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


def _segments(file: Source, reading: Reading) -> list[Segment]:
    with open_content(file, reading.storage_options) as content:
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
    return segment(cues, rows=reading.subtitle_rows, rules=reading.rules)
