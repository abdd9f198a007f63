"""What lies in a folder of remote storage, without a question for each file."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fsspec import AbstractFileSystem

from aslbatch.storage.remote import ask, is_s3

_VERSION_KEYS = (
    "ETag",
    "etag",
    "content_md5",
    "md5Hash",
    "crc32c",
    "blob_id",
    "xet_hash",
    "checksum",
    "LastModified",
    "last_modified",
    "updated",
    "mtime",
)


class Listed(NamedTuple):
    """A file as its storage lists it.

    Attributes:
        path: Its path in its file system; where it is handed on, its full path or URL.
        size: Size in bytes.
        version: ETag or checksum of an object, modification time in ns of a local file.
    """

    path: str
    size: int
    version: str


def version_of(info: Mapping[str, Any]) -> str:
    """Return what tells one state of a file from the next, as its info or a listing states it."""
    return next((str(info[key]) for key in _VERSION_KEYS if info.get(key)), "")


def list_files(fs: AbstractFileSystem, inner: str) -> Iterator[Listed]:
    """Yield the files below a folder, in no certain order; nothing is asked for each file.

    On S3 no more than a page of the listing, 1,000 files, is held at a time.

    Raises:
        OSError: The listing fails.
    """
    if is_s3(fs):
        for page in s3_pages(fs, f"{inner.rstrip('/')}/"):
            for entry in page:
                if not entry.path.endswith("/"):  # a placeholder for an empty folder
                    yield entry
        return
    fs.invalidate_cache()
    found: dict[str, Any] = ask(fs, "find", inner, detail=True)
    fs.invalidate_cache()  # which would hold all of that a second time
    while found:
        path, info = found.popitem()
        if info["type"] == "file":
            yield Listed(path, int(info.get("size") or 0), version_of(info))


def list_folder(fs: AbstractFileSystem, inner: str) -> Iterator[Listed]:
    """Yield the files directly in a folder; on S3 a folder that is missing is an empty one.

    Raises:
        FileNotFoundError: There is no such folder; on S3, no such bucket.
        OSError: The listing fails.
    """
    if is_s3(fs):
        start = f"{inner.rstrip('/')}/"
        for page in s3_pages(fs, start, delimiter="/"):
            yield from (entry for entry in page if entry.path != start)  # a placeholder
        return
    fs.invalidate_cache()
    for info in ask(fs, "ls", inner, detail=True):
        if info["type"] == "file":
            yield Listed(info["name"], int(info.get("size") or 0), version_of(info))


def s3_pages(fs: AbstractFileSystem, start: str, *, delimiter: str = "") -> Iterator[list[Listed]]:
    """Yield the objects of S3 whose `bucket/key` begins with `start`, page by page.

    Args:
        fs: An s3fs file system.
        start: Bucket and the beginning of keys; one that names a folder ends with a slash.
        delimiter: With `/`, the objects of deeper folders are left out.

    Raises:
        FileNotFoundError: There is no such bucket.
        OSError: The listing fails.
    """
    bucket, _, prefix = start.partition("/")
    of: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "Delimiter": delimiter}
    while True:
        answer = ask(fs, "call_s3", "list_objects_v2", **of)
        yield [
            Listed(f"{bucket}/{entry['Key']}", entry["Size"], version_of(entry))
            for entry in answer.get("Contents", [])
        ]
        if not answer.get("IsTruncated"):
            return
        of["ContinuationToken"] = answer["NextContinuationToken"]
