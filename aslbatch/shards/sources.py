"""From the paths of a job to the files it reads: `list_sources`."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from aslbatch.errors import SourceError
from aslbatch.shards.archives import ARCHIVE_OF_ENDING, archive_kind, list_members
from aslbatch.shards.formats.content import readable
from aslbatch.shards.hub import pin
from aslbatch.shards.listing import check_public, find_files, visible
from aslbatch.shards.source import Source
from aslbatch.storage.remote_listing import Listed

FORMAT_OF_ENDING = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
    ".tmx": "tmx",
    ".srt": "srt",
    ".vtt": "vtt",
    ".ass": "ass",
    ".ssa": "ass",
}
COMPRESSION_OF_ENDING = {".gz": "gzip", ".zst": "zstd"}

_KNOWN_ENDINGS = f"{', '.join(FORMAT_OF_ENDING)}, all but the first two also with .gz or .zst"
_KNOWN_ARCHIVES = ", ".join(ARCHIVE_OF_ENDING)
_NAMED_MEMBERS = 5
_DATASET_NOTES = (
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
    "cache-*.arrow",
)
"""What `datasets` keeps beside the rows of a data set: descriptions, and rows a second time."""
_SEEKING = ("parquet", "arrow")


def list_sources(
    paths: Sequence[str],
    *,
    format: str = "auto",  # noqa: A002 - named like the key of the configuration
    storage_options: Mapping[str, Any],
) -> list[Source]:
    """Find the files that a job reads.

    A folder is searched recursively for files with known endings. Under folders and globs, files
    and folders whose names begin with a dot or an underscore are skipped. An archive stands for the
    files in it, as a folder does; `zip://*.en::corpus.zip` names some of them.

    Args:
        paths: Files, folders and globs: local paths, or URLs that fsspec knows.
        format: `auto` goes by the ending of each file; any other value goes for all of them.
        storage_options: Passed to fsspec; the place for credentials.

    Returns:
        The files, each once, sorted by URI; those of an archive in the order in which they lie.

    Raises:
        SourceError: A path is missing, matches nothing, is empty, or has an unknown ending. Every
            bad path is listed, each with what to do about it.
    """
    found: dict[str, Listed] = {}
    patterns: dict[str, list[str]] = {}
    faults: list[str] = []
    for path in paths:
        try:
            check_public(path)
            pattern, stored_path = _split_chain(path)
            for file in find_files(
                pin(stored_path, storage_options),
                is_known=_is_known,
                any_ending=format != "auto",
                storage_options=storage_options,
            ):
                found[file.path] = file
                patterns.setdefault(file.path, []).append(pattern)
        except SourceError as error:
            faults.append(error.message)
    if not paths:
        faults.append("source.paths is empty; name at least one file, folder or glob")
    sources: list[Source] = []
    for file in sorted(found.values(), key=lambda file: _uri(file.path)):
        try:
            sources += _describe(file, patterns[file.path], format, storage_options)
        except SourceError as error:
            faults.append(error.message)
    if faults:
        raise SourceError("\n".join(dict.fromkeys(faults)))
    return sources


def _split_chain(path: str) -> tuple[str, str]:
    """Return the pattern for the files in an archive, and the archive, of a chained URL."""
    inside, is_chain, archive = path.partition("::")
    if not is_chain:
        return "", path
    scheme, _, pattern = inside.partition("://")
    if scheme not in ("zip", "tar") or "::" in archive:
        raise SourceError(
            f"{path}: of chained URLs only zip://PATTERN::ARCHIVE and tar://PATTERN::ARCHIVE "
            "can be read"
        )
    if archive_kind(archive) is None:
        raise SourceError(f"{path}: unknown kind of archive; known are {_KNOWN_ARCHIVES}")
    return pattern or "*", archive


def _is_known(name: str) -> bool:
    return _is_rows(name) or archive_kind(name) is not None


def _is_rows(name: str) -> bool:
    """Return whether a file holds rows, by its name."""
    if any(fnmatchcase(PurePosixPath(name).name, note) for note in _DATASET_NOTES):
        return False
    return _ending(name)[0] in FORMAT_OF_ENDING


def _ending(file: str) -> tuple[str, str]:
    """Return a file's ending, in lower case and without that of its compression, and the latter."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(file).suffixes]
    compression = COMPRESSION_OF_ENDING.get(suffixes[-1], "none") if suffixes else "none"
    if compression != "none":
        suffixes.pop()
    return (suffixes[-1] if suffixes else ""), compression


def _uri(path: str) -> str:
    """Return the name of a file in output rows."""
    if "://" not in path and Path(path).is_relative_to(Path.cwd()):
        return Path(path).relative_to(Path.cwd()).as_posix()
    return path


def _describe(
    file: Listed, patterns: Sequence[str], wanted: str, storage_options: Mapping[str, Any]
) -> list[Source]:
    """Return the source that a file is, or those that an archive holds."""
    uri = _uri(file.path)
    if file.size == 0:
        raise SourceError(f"{uri}: the file is empty; remove it or leave it out of source.paths")
    kind = archive_kind(file.path)
    if kind is None:
        file_format, compression = _format(uri, file.path, wanted)
        return [Source(uri, file.path, file_format, compression, file.size, file.version)]
    with readable(uri):
        members = list_members(file.path, uri, file.size, kind, storage_options)
    sources = []
    for member in members:
        if member.size and _is_wanted(member.name, patterns):
            member_uri = f"{member.kind}://{member.name}::{uri}"
            found = _format(member_uri, member.name, wanted)
            sources.append(Source(member_uri, file.path, *found, file.size, file.version, member))
    if not sources:
        raise _nothing_in(uri, kind[0], [member.name for member in members], patterns)
    return sources


def _nothing_in(uri: str, kind: str, names: Sequence[str], patterns: Sequence[str]) -> SourceError:
    held = ", ".join(map(repr, names[:_NAMED_MEMBERS])) or "no files"
    if all(patterns):
        return SourceError(
            f"{uri}: no file in this archive matches {' or '.join(map(repr, patterns))}; "
            f"it holds {held}"
        )
    return SourceError(
        f"{uri}: no file with a known ending in this archive ({_KNOWN_ENDINGS}); it holds {held}; "
        f"name files in it by a pattern, {kind}://*.en::{uri}, and set source.format"
    )


def _is_wanted(member: str, patterns: Sequence[str]) -> bool:
    """Return whether a file of an archive is a source: by its ending, or named by a pattern."""
    if not visible(member, ""):
        return False
    return any(fnmatchcase(member, p) if p else _is_rows(member) for p in patterns)


def _format(uri: str, name: str, wanted: str) -> tuple[str, str]:
    """Return format and compression of a file by its name."""
    ending, compression = _ending(name)
    if wanted == "auto" and ending not in FORMAT_OF_ENDING:
        raise SourceError(
            f"{uri}: unknown ending {ending!r}; known are {_KNOWN_ENDINGS}; "
            "rename the file or set source.format"
        )
    file_format = FORMAT_OF_ENDING[ending] if wanted == "auto" else wanted
    if file_format in _SEEKING and (compression != "none" or "::" in uri):
        raise SourceError(
            f"{uri}: {file_format.capitalize()} files that are compressed or in an archive cannot "
            "be read in parts; unpack it"
        )
    return file_format, compression
