"""The decompressed bytes of a line format: as a stream, as lines, as one range."""

import io
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from aslbatch.errors import DamagedSourceError, SourceError
from aslbatch.shards.archives import open_member
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source
from aslbatch.storage.stored import open_stored, read_stored

CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 26
"""Longer lines are not taken for lines: a few compressed bytes may stand for more than memory."""

BOM = "\ufeff"


@contextmanager
def readable(uri: str) -> Iterator[None]:
    """Turn what storage and pyarrow raise inside the block into a SourceError that names `uri`."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{uri}: the file is gone; bring it back or plan again") from error
    except (OSError, EOFError, pa.ArrowException, UnicodeDecodeError) as error:
        # Storage gives its errors a number; what decoders raise has none.
        if isinstance(error, OSError) and error.errno is not None:
            raise SourceError(f"{uri}: cannot be read: {error.strerror}") from error
        raise DamagedSourceError(
            f"{uri}: cannot be read: {error}; the file may be damaged or not of the format that "
            "its ending or source.format says"
        ) from error


@contextmanager
def open_content(file: Source, storage_options: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """Open the decompressed content of a file.

    Raises:
        SourceError: The file cannot be opened or decompressed, also while the block reads it.
    """
    with readable(file.uri), _open_packed(file, storage_options) as stored:
        if file.compression == "none":
            yield stored
            return
        packed = pa.CompressedInputStream(pa.PythonFile(stored, "r"), file.compression)
        with packed, io.BufferedReader(packed, CHUNK_BYTES) as content:
            yield content


@contextmanager
def _open_packed(file: Source, storage_options: Mapping[str, Any]) -> Iterator[BinaryIO]:
    if file.member is None:
        with open_stored(file.path, file.size, storage_options) as stored:
            yield stored
    else:
        with open_member(file, storage_options) as packed:
            yield packed


def chunks(content: BinaryIO) -> Iterator[bytes]:
    """Yield what is left of a stream in pieces of at most CHUNK_BYTES."""
    while chunk := content.read(CHUNK_BYTES):
        yield chunk


def bounded_lines(content: BinaryIO, uri: str) -> Iterator[bytes]:
    """Yield the lines of a stream, with their newlines, and never hold more than MAX_LINE_BYTES.

    Raises:
        SourceError: A line is longer.
    """
    number = 1
    while line := content.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise SourceError(
                f"{uri} line {number}: longer than {MAX_LINE_BYTES} bytes; is it a file of lines? "
                "Break the line in the source, or set source.format"
            )
        yield line
        number += 1


def read_range(piece: Piece, storage_options: Mapping[str, Any]) -> bytes:
    """Return the bytes of a piece; a compressed file is decompressed up to them and skipped.

    Raises:
        SourceError: The file cannot be read.
    """
    if piece.byte_start is None or piece.byte_end is None:
        raise SourceError(f"{piece}: has no byte range; make the plan again (--overwrite)")
    source = piece.source
    if source.compression == "none" and source.member is None:
        with readable(source.uri):
            return read_stored(source.path, piece.byte_start, piece.byte_end, storage_options)
    with open_content(source, storage_options) as content:
        to_skip = piece.byte_start
        while to_skip and (skipped := len(content.read(min(to_skip, CHUNK_BYTES)))):
            to_skip -= skipped
        return content.read(piece.byte_end - piece.byte_start)


def split_lines(data: bytes) -> list[bytes]:
    """Split at newlines; a last line counts with or without one. Carriage returns before go."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def count_lines(
    content: BinaryIO, *, mark_every: int, limit: int | None
) -> "tuple[int, array[int]]":
    """Count lines and note where every `mark_every`-th begins.

    Args:
        content: A stream at its beginning.
        mark_every: Lines between two marks.
        limit: Lines after which to stop, or None.

    Returns:
        The number of lines, and the offsets described at `aslbatch.shards.formats.protocol.Index`.
    """
    rows, position, line_start = 0, 0, 0
    offsets = array("q", [0])
    for chunk in chunks(content):
        ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + position + 1
        if limit is not None:
            ends = ends[: limit - rows]
        offsets.extend(ends[mark_every - 1 - rows % mark_every :: mark_every].tolist())
        rows += len(ends)
        position += len(chunk)
        line_start = int(ends[-1]) if len(ends) else line_start
        if rows == limit:
            break
    if line_start < position and rows != limit:
        rows, line_start = rows + 1, position
    if offsets[-1] != line_start:
        offsets.append(line_start)
    return rows, offsets
