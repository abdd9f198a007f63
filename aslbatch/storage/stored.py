"""Opening what a source is stored in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec.implementations.local import LocalFileSystem

from aslbatch.storage.remote import open_fs
from aslbatch.storage.remote_file import open_remote, read_range


def open_stored(path: str, size: int, storage_options: Mapping[str, Any]) -> BinaryIO:
    """Open the stored bytes of a file for reading, seekable.

    Args:
        path: Full path or URL.
        size: Its size in bytes.
        storage_options: Passed to fsspec.

    Raises:
        OSError: It cannot be opened.
    """
    fs, inner = open_fs(path, storage_options)
    if isinstance(fs, LocalFileSystem):
        return cast(BinaryIO, Path(inner).open("rb"))
    return open_remote(fs, inner, size)


def read_stored(path: str, start: int, end: int, storage_options: Mapping[str, Any]) -> bytes:
    """Return some of the stored bytes of a file.

    Raises:
        OSError: They cannot be read.
    """
    fs, inner = open_fs(path, storage_options)
    if not isinstance(fs, LocalFileSystem):
        return read_range(fs, inner, start, end)
    with Path(inner).open("rb") as file:
        file.seek(start)
        return file.read(end - start)
