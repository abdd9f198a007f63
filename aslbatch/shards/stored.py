"""Opening what a source is stored in."""

from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from fsspec.core import url_to_fs


def open_stored(path: str, storage_options: Mapping[str, Any]) -> BinaryIO:
    """Open the stored bytes of a file for reading, seekable.

    Raises:
        OSError: It cannot be opened.
    """
    fs, inner = url_to_fs(path, **storage_options)
    return cast(BinaryIO, fs.open(inner, "rb"))
