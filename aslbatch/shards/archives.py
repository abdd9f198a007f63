"""Zip and tar archives: what is in them, and the bytes of one file, read in place.

Nothing is ever unpacked to a disk, so that names in an archive cannot lead anywhere; they end up
in URIs and in the names of exported files, so hostile ones are refused all the same.
"""

import lzma
import re
import tarfile
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from tarfile import EOFHeaderError, HeaderError, ReadError  # type: ignore[attr-defined]
from typing import Any, BinaryIO

import pyarrow as pa

from aslbatch.errors import DamagedSourceError, SourceError
from aslbatch.shards.open_archive import OpenTar, OpenZip, unpacked
from aslbatch.shards.source import ArchiveKind, Member, Source
from aslbatch.storage.stored import open_stored

ARCHIVE_OF_ENDING: dict[str, tuple[ArchiveKind, str]] = {
    ".zip": ("zip", "none"),
    ".tar": ("tar", "none"),
    ".tar.gz": ("tar", "gzip"),
    ".tgz": ("tar", "gzip"),
    ".tar.zst": ("tar", "zstd"),
}

MAX_MEMBERS = 1_000_000
_CHUNK_BYTES = 1 << 20
MAX_RATIO = 200
"""Text seldom packs better than 20 to 1; deflate can do 1,032 to 1, and only bombs do."""
FREE_BYTES = 1 << 26
"""Up to so many bytes a ratio means nothing."""

_opened = threading.local()


def archive_kind(path: str) -> tuple[ArchiveKind, str] | None:
    """Return kind and packing of an archive by its ending, None for other files."""
    lowered = path.lower()
    return next((kind for end, kind in ARCHIVE_OF_ENDING.items() if lowered.endswith(end)), None)


def list_members(
    path: str, uri: str, size: int, kind: tuple[ArchiveKind, str], options: Mapping[str, Any]
) -> list[Member]:
    """Return the files in an archive, in the order in which they lie there.

    Links, devices and folders are no files. A tar archive is read from front to end.

    Args:
        path: What opens it.
        uri: What errors call it.
        size: Its stored size in bytes.
        kind: What `archive_kind` returned.
        options: Passed to fsspec.

    Raises:
        SourceError: It is damaged, encrypted, or built to do harm: names that lead out of it, two
            files of one name, or far more bytes in it than it could hold honestly.
        OSError: It cannot be read.
    """
    with open_stored(path, size, options) as stored:
        try:
            lister = _zip_members if kind[0] == "zip" else _tar_members
            members = list(lister(stored, uri, size, kind[1]))
        except _FAULTS as error:
            raise DamagedSourceError(
                f"{uri}: no readable {kind[0]} archive: {error}; fetch it again, or unpack it"
            ) from error
    for name, count in Counter(member.name for member in members).items():
        if count > 1:
            raise SourceError(f"{uri}: {count} files in it are named {name!r}; unpack it")
    return members


@contextmanager
def open_member(source: Source, options: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """Open the bytes of a file in an archive, as they are packed there.

    The archive stays open in this thread until another one is asked for, since the next file is
    likely to be of the same one.

    Args:
        source: A source with a `member`.
        options: Passed to fsspec.

    Raises:
        DamagedSourceError: The file cannot be unpacked; also while the block reads it.
        OSError: The archive cannot be read.
    """
    member = source.member
    if member is None:
        raise ValueError(f"{source.uri} lies in no archive")
    archive = getattr(_opened, "archive", None)
    if archive is None or archive.key != (source.path, source.version):
        if archive is not None:
            archive.close()
        archive = _opened.archive = None
    try:
        if archive is None:
            opener = OpenZip if member.kind == "zip" else OpenTar
            archive = _opened.archive = opener(source, member, options)
        yield archive.file(member)
    except _FAULTS as error:
        raise DamagedSourceError(
            f"{source.uri}: cannot be unpacked: {error}; fetch the archive again"
        ) from error


def _zip_members(stored: BinaryIO, uri: str, size: int, _: str) -> Iterator[Member]:
    with zipfile.ZipFile(stored) as archive:
        infos = [info for info in archive.infolist() if info.filename and not info.is_dir()]
        if sum(info.compress_size for info in infos) > size:
            raise SourceError(f"{uri}: files overlap in it, as in a zip bomb; it is not read")
        _check_count(uri, len(infos))
        for info in infos:
            if info.flag_bits & 1:
                raise SourceError(f"{uri}: {info.filename!r} is encrypted; unpack it")
            _check_ratio(f"{uri}: {info.filename!r}", info.file_size, info.compress_size)
            _check_name(uri, info.filename)
            yield Member("zip", "none", info.filename, 0, info.file_size)


def _tar_members(stored: BinaryIO, uri: str, size: int, packing: str) -> Iterator[Member]:
    content = unpacked(stored, packing)
    count = 0
    with tarfile.open(fileobj=content, mode="r|", tarinfo=_StrictInfo) as archive:
        for info in archive:
            _check_ratio(uri, info.offset_data + info.size, size)
            if not info.isreg():
                continue
            if info.issparse():
                raise SourceError(f"{uri}: {info.name!r} is stored as a sparse file; unpack it")
            count += 1
            _check_count(uri, count)
            name = _text(info.name).removeprefix("./")
            _check_name(uri, name)
            yield Member("tar", packing, name, info.offset_data, info.size)
        while rest := archive.fileobj.read(_CHUNK_BYTES):
            if rest.strip(b"\0"):
                raise SourceError(
                    f"{uri}: there is more behind its end, as where archives were put together; "
                    "unpack it"
                )


class _StrictInfo(tarfile.TarInfo):
    """A header that ends the archive only where the archive says so.

    tarfile takes a header that is cut or damaged for the end, and so loses all files behind it.
    """

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_StrictInfo":
        try:
            return super().fromtarfile(tarfile)
        except EOFHeaderError:
            raise
        except HeaderError as error:
            raise ReadError(f"a header is cut or damaged: {error}") from error


def _text(name: str) -> str:
    """Return a name in a tar archive as text; one that is not UTF-8 is taken for Windows-1252."""
    data = name.encode(errors="surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _check_name(uri: str, name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if (
        not path.parts
        or path.is_absolute()
        or ".." in path.parts
        or re.match(r"[A-Za-z]:", name)
        or "::" in name
    ):
        raise SourceError(
            f"{uri}: a file in it is named {name!r}, which leads out of the archive; "
            "unpack it and look what it is"
        )


def _check_ratio(what: str, unpacked: int, packed: int) -> None:
    if unpacked > max(FREE_BYTES, MAX_RATIO * packed):
        raise SourceError(
            f"{what}: {packed} bytes that unpack to {unpacked} or more, as in a decompression "
            f"bomb (the limit is {MAX_RATIO} to 1); it is not read; unpack it if you trust it"
        )


def _check_count(uri: str, count: int) -> None:
    if count > MAX_MEMBERS:
        raise SourceError(f"{uri}: more than {MAX_MEMBERS} files in it; unpack it")


_FAULTS = (
    lzma.LZMAError,
    UnicodeDecodeError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    pa.ArrowInvalid,
)
"""What damaged or unsupported archives raise; zipfile raises RuntimeError for encrypted files."""
