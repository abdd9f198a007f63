"""Names of exported tracks: safe below any folder, no two alike, whatever sources are called."""

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from aslbatch.shards.sources import COMPRESSION_OF_ENDING, FORMAT_OF_ENDING

_RESERVED = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_MOST_PART_BYTES = 150
_MOST_PARTS = 12
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def track_names(uris: Iterable[str], ending: str) -> dict[str, str]:
    """Return the name of the track of each source: relative, with `/`.

    A name mirrors the path of its source, and that of an archive before its members: from
    `zip://a/b.srt::subs.zip` comes `subs.zip/a/b{ending}`. Parts that lead upwards go, and so does
    what some file system cannot take: reserved characters become `_`, and long names are cut. Where
    the name is taken by then, or is that of a source, the track goes into a folder named by the
    hash of its source's URI. Names that differ only in case or in composed characters count as the
    same, and so do a file and a folder. The same sources in the same order give the same names.

    Args:
        uris: The URI of each source, in the order in which they get their names.
        ending: What names end with, such as `.ase.srt`.
    """
    paths = {uri: _safe_path(uri) for uri in uris}
    # Tracks may be written beside their sources, and must not replace one.
    files = {_key(str(path)) for path in paths.values()}
    folders: set[str] = set()
    names: dict[str, str] = {}
    for uri, path in paths.items():
        digest = hashlib.sha256(uri.encode()).hexdigest()[:16]
        stem = _without_endings(path)
        choices = itertools.chain(
            [f"{stem}{ending}"],
            # Strangers may have taken the second choice on purpose, but not all of them.
            (f"{digest}-{number}/{stem.name}{ending}" for number in itertools.count(1)),
        )
        names[uri] = next(name for name in choices if _is_free(_key(name), files, folders))
        files.add(_key(names[uri]))
        folders.update(_folders(_key(names[uri])))
    return names


def _safe_path(uri: str) -> PurePosixPath:
    """Return a URI as a relative path, from the outermost archive to the file."""
    places = (_SCHEME.sub("", place, count=1) for place in reversed(uri.split("::")))
    parts = [_safe(part) for place in places for part in place.split("/")]
    return PurePosixPath(*[part for part in parts if part][-_MOST_PARTS:] or ["track"])


def _safe(part: str) -> str:
    """Return a part that any file system takes, empty where it says nothing or leads upwards."""
    end = _RESERVED.sub("_", part).encode(errors="replace")[-_MOST_PART_BYTES:]
    part = end.decode(errors="ignore").strip(" .")
    return f"_{part}" if _DEVICES.fullmatch(part) else part


def _without_endings(path: PurePosixPath) -> PurePosixPath:
    if path.suffix.lower() in COMPRESSION_OF_ENDING:
        path = path.with_suffix("")
    return path.with_suffix("") if path.suffix.lower() in FORMAT_OF_ENDING else path


def _is_free(key: str, files: set[str], folders: set[str]) -> bool:
    return key not in files and key not in folders and files.isdisjoint(_folders(key))


def _key(name: str) -> str:
    """Return what is equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFKC", name.casefold())


def _folders(name: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(name).parents][:-1]
