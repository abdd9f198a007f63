"""From the paths of a job to the files it reads: `list_sources`."""

import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from aslbatch.errors import SourceError

FORMAT_OF_ENDING = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
    ".srt": "srt",
    ".vtt": "vtt",
    ".ass": "ass",
    ".ssa": "ass",
}
COMPRESSION_OF_ENDING = {".gz": "gzip", ".zst": "zstd"}

_KNOWN_ENDINGS = f"{', '.join(FORMAT_OF_ENDING)}, all but the first also with .gz or .zst"
_VERSION_KEYS = ("ETag", "etag", "content_md5", "md5Hash", "crc32c", "blob_id", "checksum")


@dataclass(frozen=True, slots=True)
class Source:
    """One input file.

    Attributes:
        uri: The name that output rows carry: a local file's path relative to the working
            directory where it lies below it, else its full path or URL. Without credentials.
        path: What opens the file from any machine and working directory: a full path or URL.
        format: One of `parquet`, `jsonl`, `csv`, `tsv`, `text`, `srt`, `vtt`, `ass`.
        compression: `none`, `gzip` or `zstd`.
        size: Stored size in bytes.
        version: ETag or checksum of an object, modification time in ns of a local file.
    """

    uri: str
    path: str
    format: str
    compression: str
    size: int
    version: str


def list_sources(
    paths: Sequence[str],
    *,
    format: str = "auto",  # noqa: A002 - named like the key of the configuration
    storage_options: Mapping[str, Any],
) -> list[Source]:
    """Find the files that a job reads.

    A folder is searched recursively for files with known endings. Under folders and globs, files
    and folders whose names begin with a dot or an underscore are skipped.

    Args:
        paths: Files, folders and globs: local paths, or URLs that fsspec knows.
        format: `auto` goes by the ending of each file; any other value goes for all of them.
        storage_options: Passed to fsspec; the place for credentials.

    Returns:
        The files, each once, sorted by URI.

    Raises:
        SourceError: A path is missing, matches nothing, is empty, or has an unknown ending. Every
            bad path is listed, each with what to do about it.
    """
    found: dict[str, Source] = {}
    faults: list[str] = []
    for path in paths:
        try:
            for file in _expand(path, format, storage_options):
                try:
                    source = _describe(file, format, storage_options)
                except SourceError as error:
                    faults.append(error.message)
                else:
                    found[source.path] = source
        except SourceError as error:
            faults.append(error.message)
    if not paths:
        faults.append("source.paths is empty; name at least one file, folder or glob")
    if faults:
        raise SourceError("\n".join(dict.fromkeys(faults)))
    return sorted(found.values(), key=lambda source: source.uri)


def fingerprint(path: str, storage_options: Mapping[str, Any]) -> tuple[int, str]:
    """Return the size in bytes and the version of a file as they are now.

    Raises:
        OSError: The file is gone or out of reach.
    """
    fs, inner = url_to_fs(path, **storage_options)
    if isinstance(fs, LocalFileSystem):
        stat = Path(inner).stat()
        return stat.st_size, str(stat.st_mtime_ns)
    fs.invalidate_cache(inner)
    info = fs.info(inner)
    size = int(info.get("size") or 0)
    for key in _VERSION_KEYS:
        if info.get(key):
            return size, str(info[key])
    try:
        return size, fs.modified(inner).isoformat()
    except NotImplementedError:
        return size, str(fs.checksum(inner))


def _expand(path: str, wanted: str, storage_options: Mapping[str, Any]) -> list[str]:
    """Return the full paths or URLs of the files that one path of the job stands for."""
    fs, inner = _open_file_system(path, storage_options)
    if fs.isfile(inner):
        return [_full_path(inner, path, fs, inner)]
    if fs.isdir(inner):
        inside = _visible(fs.find(inner), root=inner)
        files = [file for file in inside if _ending(file)[0] in FORMAT_OF_ENDING]
        problem = f"{path}: no file with a known ending in this folder ({_KNOWN_ENDINGS})"
        remedy = "name the files by a glob and set source.format"
    elif glob.has_magic(inner):
        root = inner[: re.search(r"[*?[]", inner).start()]  # type: ignore[union-attr]
        matches = fs.glob(inner, detail=True)
        names = [name for name, info in matches.items() if info["type"] == "file"]
        inside = _visible(names, root=root.rpartition("/")[0])
        known = [file for file in inside if _ending(file)[0] in FORMAT_OF_ENDING]
        files = known if wanted == "auto" else inside
        problem = f"{path}: no file matches this pattern"
        remedy = "check the pattern and the endings of the files, or set source.format"
    else:
        files = []
        problem = f"{path}: there is no such file or folder"
        remedy = "check source.paths; relative paths start at the working directory"
    if not files:
        raise SourceError(f"{problem}; {remedy}")
    return [_full_path(file, path, fs, inner) for file in files]


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


def _visible(files: Iterable[str], *, root: str) -> list[str]:
    """Return the files that are not hidden, nor below a hidden folder, under `root`."""
    return [
        file
        for file in files
        if not any(part[0] in "._" for part in PurePosixPath(file[len(root) :].strip("/")).parts)
    ]


def _ending(file: str) -> tuple[str, str]:
    """Return a file's ending, in lower case and without that of its compression, and the latter."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(file).suffixes]
    compression = COMPRESSION_OF_ENDING.get(suffixes[-1], "none") if suffixes else "none"
    if compression != "none":
        suffixes.pop()
    return (suffixes[-1] if suffixes else ""), compression


def _describe(file: str, wanted: str, storage_options: Mapping[str, Any]) -> Source:
    fs, inner = url_to_fs(file, **storage_options)
    local = isinstance(fs, LocalFileSystem)
    path = str(inner) if local else file
    uri = path
    if local and Path(path).is_relative_to(Path.cwd()):
        uri = Path(path).relative_to(Path.cwd()).as_posix()
    ending, compression = _ending(file)
    if wanted == "auto" and ending not in FORMAT_OF_ENDING:
        raise SourceError(
            f"{uri}: unknown ending {ending!r}; known are {_KNOWN_ENDINGS}; "
            "rename the file or set source.format"
        )
    file_format = FORMAT_OF_ENDING[ending] if wanted == "auto" else wanted
    if file_format == "parquet" and compression != "none":
        raise SourceError(f"{uri}: a compressed Parquet file cannot be read in parts; unpack it")
    try:
        size, version = fingerprint(file, storage_options)
    except OSError as error:
        raise SourceError(f"{uri}: cannot be read: {error}; check the permissions") from error
    if size == 0:
        raise SourceError(f"{uri}: the file is empty; remove it or leave it out of source.paths")
    return Source(uri, path, file_format, compression, size, version)
