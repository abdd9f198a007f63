"""One input file, or one file inside an archive."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ArchiveKind = Literal["zip", "tar"]


@dataclass(frozen=True, slots=True)
class Member:
    """Where a file lies in an archive.

    Attributes:
        kind: `zip` or `tar`.
        packing: Compression of a tar archive as a whole: `none`, `gzip` or `zstd`.
        name: Its path inside.
        offset: Where its bytes begin in the decompressed tar archive; 0 for zip.
        size: How many bytes it has, those of zip decompressed.
    """

    kind: ArchiveKind
    packing: str
    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Source:
    """One input file.

    Attributes:
        uri: The name that output rows carry: a local file's path relative to the working
            directory where it lies below it, else its full path or URL. Without credentials. A
            file in an archive has fsspec's chained name, `zip://folder/movie.srt::subs.zip`.
        path: What opens the file, or the archive that it lies in, from any machine and working
            directory: a full path or URL.
        format: A key of `aslbatch.shards.formats.registry.FORMATS`.
        compression: `none`, `gzip` or `zstd`.
        size: Stored size of the file, or of the archive, in bytes.
        version: ETag or checksum of an object, modification time in ns of a local file.
        member: Where it lies in the archive; None for a file of its own.
    """

    uri: str
    path: str
    format: str
    compression: str
    size: int
    version: str
    member: Member | None = None

    @property
    def container(self) -> tuple[str, bool]:
        """What files of one archive have in common, and no others."""
        return self.path, self.member is not None


def source_from_dict(fields: Mapping[str, Any]) -> Source:
    """Return a source from what `dataclasses.asdict` made of it."""
    member = fields["member"]
    return Source(**{**fields, "member": Member(**member) if member else None})
