"""The files that a path of a job stands for, as their storage lists them."""

import errno
import glob
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from aslbatch.errors import SourceError
from aslbatch.provenance.hub import explain, hub_errors
from aslbatch.shards.hub import is_pinned

_VERSION_KEYS = ("ETag", "etag", "content_md5", "md5Hash", "crc32c", "blob_id", "checksum")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as its storage lists it.

    Attributes:
        path: Full path or URL.
        size: Size in bytes.
        version: ETag or checksum of an object, modification time in ns of a local file.
    """

    path: str
    size: int
    version: str


def find_files(
    path: str,
    *,
    is_known: Callable[[str], bool],
    any_ending: bool,
    storage_options: Mapping[str, Any],
) -> list[StoredFile]:
    """Return the files that one path of a job stands for, in no order.

    Args:
        path: A file, a folder or a glob: a local path, or a URL.
        is_known: Whether a file in a folder is taken, by its name.
        any_ending: Whether a glob takes files of other names too.
        storage_options: Passed to fsspec.

    Raises:
        SourceError: There is no such file, none in the folder, or none that matches.
    """
    fs, inner = _open_file_system(path, storage_options)
    try:
        if fs.isfile(inner):
            return [_stored(_full_path(inner, path, fs, inner), fs, fs.info(inner))]
        if fs.isdir(inner):
            found = fs.find(inner, detail=True)
            names = filter(is_known, visible(found, root=inner))
            problem = "no file with a known ending in this folder"
            remedy = "name the files by a glob and set source.format"
        elif glob.has_magic(inner):
            found = fs.glob(inner, detail=True)
            root = re.split(r"[*?[]", inner, maxsplit=1)[0].rpartition("/")[0]
            files = [name for name, info in found.items() if info["type"] == "file"]
            names = filter(None if any_ending else is_known, visible(files, root))
            problem = "no file matches this pattern"
            remedy = "check the pattern and the endings of the files, or set source.format"
        else:
            found, names = {}, filter(is_known, ())
            problem = "there is no such file or folder"
            remedy = "check source.paths; relative paths start at the working directory"
        stored = [_stored(_full_path(n, path, fs, inner), fs, found[n]) for n in names]
    except hub_errors() as error:
        raise SourceError(f"{path}: {explain(error)}") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error}; check the permissions") from error
    if not stored:
        raise SourceError(f"{path}: {problem}; {remedy}")
    return stored


def fingerprint(path: str, storage_options: Mapping[str, Any]) -> tuple[int, str]:
    """Return the size in bytes and the version of a file as they are now.

    Raises:
        OSError: The file is gone or out of reach.
    """
    fs, inner = url_to_fs(path, **storage_options)
    if isinstance(fs, LocalFileSystem):
        stat = Path(inner).stat()
        return stat.st_size, str(stat.st_mtime_ns)
    if not is_pinned(path):  # each listing is a request, and a commit does not change
        fs.invalidate_cache(inner)
    try:
        return _fingerprint_of(fs, inner, fs.info(inner))
    except hub_errors() as error:
        raise OSError(errno.EIO, explain(error)) from error


def _fingerprint_of(fs: AbstractFileSystem, inner: str, info: Mapping[str, Any]) -> tuple[int, str]:
    size = int(info.get("size") or 0)
    for key in _VERSION_KEYS:
        if info.get(key):
            return size, str(info[key])
    try:
        return size, fs.modified(inner).isoformat()
    except NotImplementedError:
        return size, str(fs.checksum(inner))


def _stored(path: str, fs: AbstractFileSystem, info: Mapping[str, Any]) -> StoredFile:
    if isinstance(fs, LocalFileSystem):
        return StoredFile(path, *fingerprint(path, {}))
    return StoredFile(path, *_fingerprint_of(fs, str(info["name"]), info))


def _full_path(file: str, path: str, fs: AbstractFileSystem, inner: str) -> str:
    """Return what opens `file`, found under `path`, which its file system calls `inner`."""
    if isinstance(fs, LocalFileSystem):
        return normpath(file)
    url = path.rstrip("/")
    # fsspec's own unstrip_protocol loses the host of sftp:// and its kind.
    prefix = url.removesuffix(inner.rstrip("/"))
    return str(fs.unstrip_protocol(file)) if prefix == url else prefix + file


def _open_file_system(
    path: str, storage_options: Mapping[str, Any]
) -> tuple[AbstractFileSystem, str]:
    scheme, has_scheme, rest = path.partition("://")
    user, has_user, _ = rest.partition("/")[0].rpartition("@")
    if has_scheme and has_user and ":" in user:
        raise SourceError(
            f"{scheme}://...@{rest.rpartition('@')[2]}: the URL holds a password, which would end "
            "up in the plan; pass credentials in source.storage_options or the environment"
        )
    if scheme in ("http", "https") and "?" in rest:
        raise SourceError(
            f"{path.partition('?')[0]}: the URL has a query, which may hold a key and would end up "
            "in the plan; name the file without one, or download it first"
        )
    try:
        fs, inner = url_to_fs(path, **storage_options)
    except (ImportError, ValueError) as error:
        raise SourceError(
            f"{path}: fsspec cannot open it: {error}; install the package named there "
            "(s3fs for s3://, gcsfs for gs://) or correct the URL"
        ) from error
    return fs, str(inner)


def visible(files: Iterable[str], root: str) -> list[str]:
    """Return the files that are not hidden, nor below a hidden folder, under `root`."""
    return [
        file
        for file in files
        if not any(part[0] in "._" for part in PurePosixPath(file[len(root) :].strip("/")).parts)
    ]
