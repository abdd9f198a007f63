"""Archives that stay open while one of their files after the other is read."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

import pyarrow as pa
from typing_extensions import Buffer

from aslbatch.shards.source import Member, Source
from aslbatch.storage.stored import open_stored

_HELD_BYTES = 1 << 26
_CHUNK_BYTES = 1 << 20


def unpacked(stored: BinaryIO, packing: str) -> BinaryIO:
    """Return the decompressed content of a stream; `packing` is that of a `Member`."""
    if packing == "none":
        return stored
    packed = pa.CompressedInputStream(pa.PythonFile(stored, "r"), packing)
    return cast(BinaryIO, io.BufferedReader(packed, _CHUNK_BYTES))


class OpenZip:
    """A zip archive that stays open."""

    def __init__(self, source: Source, member: Member, options: Mapping[str, Any]) -> None:
        del member
        self.key = source.path, source.version
        self._archive = zipfile.ZipFile(open_stored(source.path, source.size, options))

    def file(self, member: Member) -> BinaryIO:
        """Return the content of a file, which is checked by its CRC when it is read to the end."""
        return cast(BinaryIO, self._archive.open(member.name))

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


class OpenTar:
    """A tar archive that stays open, read on from where the last file ended."""

    def __init__(self, source: Source, member: Member, options: Mapping[str, Any]) -> None:
        self.key = source.path, source.version
        self._source, self._options, self._packing = source, options, member.packing
        self._held: tuple[Member, bytes] | None = None
        self._rewind()

    def _rewind(self) -> None:
        self._stored = open_stored(self._source.path, self._source.size, self._options)
        self._content = unpacked(self._stored, self._packing)
        self._position = 0

    def file(self, member: Member) -> BinaryIO:
        """Return the content of a file; short ones are held, as they are often read twice."""
        if self._held and self._held[0] == member:
            return io.BytesIO(self._held[1])
        self._go_to(member.offset)
        content = io.BufferedReader(_Slice(self, member.size), _CHUNK_BYTES)
        if member.size > _HELD_BYTES:
            return cast(BinaryIO, content)
        self._held = member, content.read()
        return io.BytesIO(self._held[1])

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size` of them.

        Raises:
            EOFError: There are none.
        """
        data = self._content.read(size)
        if not data:
            raise EOFError("the archive ends within a file")
        self._position += len(data)
        return data

    def _go_to(self, offset: int) -> None:
        if self._packing == "none":
            self._position = self._content.seek(offset)
        elif offset < self._position:
            self.close()
            self._rewind()
        while self._position < offset:
            self.read(min(offset - self._position, _CHUNK_BYTES))

    def close(self) -> None:
        """Close the archive."""
        self._content.close()
        self._stored.close()


class _Slice(io.RawIOBase):
    """The next bytes of a tar archive, of which no other is read meanwhile."""

    def __init__(self, archive: OpenTar, size: int) -> None:
        self._archive, self._left = archive, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        wanted = min(len(view), self._left)
        data = self._archive.read(wanted) if wanted else b""
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)
