"""The files that a path of a job stands for, as their storage lists them."""

import glob
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from os.path import normpath
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import glob_translate

from aslbatch.errors import SourceError
from aslbatch.provenance.uri import PASSWORD_IN_URL
from aslbatch.shards.hub import is_pinned
from aslbatch.storage.remote import ask, credentials_hint, open_fs
from aslbatch.storage.remote_listing import Listed, list_files, version_of


def find_files(
    path: str,
    *,
    is_known: Callable[[str], bool],
    any_ending: bool,
    storage_options: Mapping[str, Any],
) -> list[Listed]:
    """Return the files that one path of a job stands for, by full path or URL, in no order.

    Args:
        path: A file, a folder or a glob: a local path, or a URL.
        is_known: Whether a file in a folder is taken, by its name.
        any_ending: Whether a glob takes files of other names too.
        storage_options: Passed to fsspec.

    Raises:
        SourceError: The path is no source; there is no such file, none in the folder, or none that
            matches.
    """
    fs, inner = open_fs(path, storage_options)
    try:
        info = _info(fs, inner, path)
        if info.get("type") == "file":
            found: Iterable[Listed] = [_listed(fs, inner, info)]
            problem = remedy = ""
        elif info.get("type") == "directory":
            found = _usable(_below(fs, inner), inner, is_known)
            problem = "no file with a known ending in this folder"
            remedy = "name the files by a glob and set source.format"
        elif glob.has_magic(inner):
            root = re.split(r"[*?[]", inner, maxsplit=1)[0].rpartition("/")[0]
            found = _usable(_matching(fs, inner, root), root, None if any_ending else is_known)
            problem = "no file matches this pattern"
            remedy = "check the pattern and the endings of the files, or set source.format"
        else:
            found = ()
            problem = "there is no such file or folder"
            remedy = "check source.paths; relative paths start at the working directory"
        stored = [file._replace(path=_full_path(file.path, path, fs, inner)) for file in found]
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        raise SourceError(
            f"{path}: cannot be read: {what}{error.strerror or error}; {_remedy(path)}"
        ) from error
    if not stored:
        raise SourceError(f"{path}: {problem}; {remedy}")
    return stored


def fingerprint(path: str, storage_options: Mapping[str, Any]) -> tuple[int, str]:
    """Return the size in bytes and the version of a file as they are now.

    Raises:
        OSError: The file is gone or out of reach.
    """
    fs, inner = open_fs(path, storage_options)
    info = {} if isinstance(fs, LocalFileSystem) else _ask_anew(fs, inner, path)
    found = _listed(fs, inner, info)
    return found.size, found.version


def _ask_anew(fs: AbstractFileSystem, inner: str, path: str) -> Mapping[str, Any]:
    """Return what storage says now of a file or folder."""
    if not is_pinned(path):  # each listing is a request, and a commit does not change
        fs.invalidate_cache(inner)
    info: Mapping[str, Any] = ask(fs, "info", inner)
    return info


def _info(fs: AbstractFileSystem, inner: str, path: str) -> Mapping[str, Any]:
    """Return what storage says of a file or folder, nothing where there is none.

    Not by `isfile` and `isdir`, which take every fault of storage for "no".
    """
    try:
        return _ask_anew(fs, inner, path)
    except FileNotFoundError:
        return {}


def _listed(fs: AbstractFileSystem, inner: str, info: Mapping[str, Any]) -> Listed:
    if isinstance(fs, LocalFileSystem):
        stat = Path(inner).stat()
        return Listed(inner, stat.st_size, str(stat.st_mtime_ns))
    return Listed(inner, int(info.get("size") or 0), version_of(info))


def _below(fs: AbstractFileSystem, folder: str) -> Iterator[Listed]:
    """Yield the files in a folder and all of its folders."""
    if not isinstance(fs, LocalFileSystem):
        return list_files(fs, folder)
    return (_listed(fs, name, {}) for name in fs.find(folder))


def _matching(fs: AbstractFileSystem, pattern: str, root: str) -> Iterator[Listed]:
    """Yield the files that match a pattern; `root` is the folder that all of them are below."""
    if isinstance(fs, LocalFileSystem):
        names = (name for name in fs.glob(pattern) if Path(name).is_file())
        return (_listed(fs, name, {}) for name in names)
    matches = re.compile(glob_translate(pattern)).match
    return (file for file in list_files(fs, root) if matches(file.path))


def _usable(
    files: Iterable[Listed], root: str, is_known: Callable[[str], bool] | None
) -> Iterator[Listed]:
    for file in files:
        if visible(file.path, root) and (is_known is None or is_known(file.path)):
            yield file


def _full_path(file: str, path: str, fs: AbstractFileSystem, inner: str) -> str:
    """Return what opens `file`, found under `path`, which its file system calls `inner`."""
    if isinstance(fs, LocalFileSystem):
        return re.sub("^/+", "/", normpath(file))
    url = path.rstrip("/")
    # Keeps the kind and the account of the URL, which fsspec's own unstrip_protocol may change.
    prefix = url.removesuffix(inner.rstrip("/"))
    return str(fs.unstrip_protocol(file)) if prefix == url else prefix + file


def _remedy(path: str) -> str:
    scheme, has_scheme, _ = path.partition("://")
    if not has_scheme or scheme == "file":
        return "check the permissions"
    hint = credentials_hint(scheme)
    return f"check the path, and the credentials in source.storage_options: {hint}"


def check_public(path: str) -> None:
    """Check that a URL holds no password.

    Raises:
        SourceError: It does; it would end up in the plan.
    """
    if found := PASSWORD_IN_URL.search(path):
        raise SourceError(
            f"{path[: found.start()]}...{path[found.end() - 1 :]}: the URL holds a password, which "
            "would end up in the plan; pass credentials in source.storage_options or in the "
            "environment"
        )


def visible(file: str, root: str) -> bool:
    """Return whether a file under `root` is not hidden, nor below a hidden folder."""
    parts = PurePosixPath(file[len(root) :].strip("/")).parts
    return not any(part[0] in "._" for part in parts)
