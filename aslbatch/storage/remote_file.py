"""Files of remote storage as streams that survive passing faults."""

import errno
import io
from typing import Any, BinaryIO, cast

from fsspec import AbstractFileSystem

from aslbatch.storage.remote import ask

BLOCK_BYTES = 8 << 20
"""Bytes that one request for a part of a file asks for."""


class RemoteFile(io.RawIOBase):
    """A file of remote storage, read only, in whole blocks; each survives passing faults.

    One block is kept in memory. Reads may return less than was asked for, as raw files do, and are
    for one thread at a time; `open_remote` gives a file without either limit.
    """

    def __init__(
        self,
        fs: AbstractFileSystem,
        path: str,
        size: int | None = None,
        *,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        super().__init__()
        self._fs = fs
        self._path = path
        if size is None:
            size = int(ask(fs, "info", path)["size"])
        self.size = size
        self._block_bytes = block_bytes
        self._block = b""
        self._block_start = 0
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, which may lie behind the end, and return it.

        Raises:
            OSError: It lies before the beginning. There is no `errno`, for storage is not at fault.
        """
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise OSError(f"{self._path}: position {start + offset} lies before the beginning")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever has a buffer
        """Fill a buffer as far as the current block goes; return the bytes read, 0 at the end.

        Raises:
            OSError: Storage does not give the bytes.
        """
        target = memoryview(buffer).cast("B")
        if not len(target) or self._position >= self.size:
            return 0
        if not 0 <= self._position - self._block_start < len(self._block):
            self._fetch()
        offset = self._position - self._block_start
        piece = memoryview(self._block)[offset : offset + len(target)]
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _fetch(self) -> None:
        start, end = self._position, min(self._position + self._block_bytes, self.size)
        self._block = b""  # so that two blocks are never held
        self._block = read_range(self._fs, self._path, start, end)
        self._block_start = start


def open_remote(
    fs: AbstractFileSystem, path: str, size: int | None = None, *, block_bytes: int = BLOCK_BYTES
) -> BinaryIO:
    """Open a file of remote storage for reading, with seeking, for pyarrow too.

    Args:
        fs: The file system.
        path: What it calls the file.
        size: Size in bytes, where it is known; else it is asked for.
        block_bytes: Bytes of one request; less where reads jump about.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    return cast(BinaryIO, io.BufferedReader(RemoteFile(fs, path, size, block_bytes=block_bytes)))


def read_range(fs: AbstractFileSystem, path: str, start: int, end: int) -> bytes:
    """Return the bytes of a file from `start` up to but without `end`.

    Raises:
        OSError: Storage does not give them all.
    """
    if start >= end:
        return b""
    data: bytes = ask(fs, "cat_file", path, start=start, end=end)
    if len(data) != end - start:
        raise OSError(
            errno.EIO,
            f"{len(data)} bytes came for bytes {start} to {end}; the file may have changed",
        )
    return data
