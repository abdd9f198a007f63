"""Files of an object store, which appear whole or not at all."""

import errno
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from fsspec import AbstractFileSystem

from aslbatch.storage.faults import PASSING_CODES
from aslbatch.storage.insist import insist, secrets_of
from aslbatch.storage.remote import LIMIT_S, ask, is_s3
from aslbatch.storage.remote_listing import list_folder, s3_pages

ONE_PUT_BYTES = 512 << 20
"""Larger objects go to S3 in parts. Those of an upload that dies stay until `sweep`, and cost."""

PART_BYTES = 64 << 20

_TRIES = 10
_UPLOAD_BYTES_PER_S = 1 << 20


class ObjectFiles:
    """Reads and publishes whole objects, by the path that their file system knows them by.

    An object appears when its PUT, or the end of its upload in parts, has been taken, and is then
    seen by all; that is so on S3, Google Cloud Storage and Azure alike. `create` is one step on
    these three: `If-None-Match: *` on S3 and on Azure, `ifGenerationMatch=0` on Google. A store
    that speaks S3 but ignores that header, and the Hugging Face Hub, which looks first and writes
    then, may let two callers win; there, run one driver at a time.
    """

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs

    def publish(self, path: str, data: bytes) -> None:
        """Write an object, replacing one of that name."""
        self._put(path, data)

    def create(self, path: str, data: bytes) -> bool:
        """Write an object unless there is one; return whether this call wrote it.

        When an answer is lost, the repeated request finds what the first one wrote. So an object
        that is there already counts as written by this call if it holds just these bytes.
        """
        for _ in range(_TRIES):
            try:
                self._put(path, data, mode="create")
            except FileExistsError:
                with suppress(FileNotFoundError):  # deleted since
                    return self.read(path) == data
            else:
                return True
        raise FileExistsError(errno.EEXIST, "others create and delete it all the time")

    def read(self, path: str) -> bytes:
        """Return an object's bytes."""
        # On S3 by one request; s3fs would ask for the size first.
        options: dict[str, Any] = {"max_concurrency": 1} if is_s3(self._fs) else {}
        data: bytes = ask(self._fs, "cat_file", path, **options)
        return data

    def exists(self, path: str) -> bool:
        """Return whether there is an object, or any object below a folder."""
        self._fs.invalidate_cache()
        try:  # fsspec's own `exists` takes every error for a no
            ask(self._fs, "info", path)
        except FileNotFoundError:
            return False
        return True

    def names(self, path: str) -> list[str]:
        """Return the names of the objects directly in a folder, in no certain order.

        Raises:
            FileNotFoundError: There is no such bucket.
        """
        try:
            return [posixpath.basename(entry.path) for entry in list_folder(self._fs, path)]
        except FileNotFoundError:
            if is_s3(self._fs):
                raise
            return []

    def delete(self, path: str) -> None:
        """Delete an object, or a folder with all that is in it."""
        if is_s3(self._fs):
            self._delete_from_s3([path])
            for page in s3_pages(self._fs, f"{path}/"):
                self._delete_from_s3([entry.path for entry in page])
            return
        for tries_left in reversed(range(_TRIES)):
            if not self.exists(path):
                return
            try:
                ask(self._fs, "rm", path, recursive=True)
            except FileNotFoundError:  # another driver deletes it too
                if not tries_left:
                    raise

    def sweep(self, path: str) -> None:
        """Abort the uploads in parts below a folder, those of dead writers, on S3.

        Which writers are dead is not known. A living one, of another driver, finds its upload gone
        and sends it again.
        """
        if not is_s3(self._fs):  # elsewhere they vanish by themselves, after a week
            return
        # Not everybody may list or abort them, and not every store that speaks S3 can. What is left
        # then costs, but harms no run: the rules of the bucket can remove it.
        with suppress(OSError):
            for bucket, upload in list(self._uploads(f"{path}/")):
                with suppress(OSError):  # done, or swept by another
                    ask(
                        self._fs,
                        "call_s3",
                        "abort_multipart_upload",
                        Bucket=bucket,
                        Key=upload["Key"],
                        UploadId=upload["UploadId"],
                    )

    def _put(self, path: str, data: bytes, **options: Any) -> None:  # noqa: ANN401
        if is_s3(self._fs):
            in_parts = len(data) > ONE_PUT_BYTES
            options |= {"chunksize": PART_BYTES if in_parts else len(data) + 1}
            options |= {"max_concurrency": 4}
        limit_s = LIMIT_S + len(data) / _UPLOAD_BYTES_PER_S
        ask(self._fs, "pipe_file", path, data, limit_s=limit_s, **options)

    def _delete_from_s3(self, paths: Sequence[str]) -> None:
        """Delete up to 1,000 objects by one request."""
        bucket = paths[0].partition("/")[0] if paths else ""
        keys = [{"Key": path.partition("/")[2]} for path in paths if "/" in path]
        if keys:
            what = partial(_delete_once, self._fs, bucket, keys)
            insist(what, secrets=secrets_of(self._fs.storage_options))

    def _uploads(self, start: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield bucket, key and id of unfinished uploads to S3."""
        bucket, _, prefix = start.partition("/")
        where: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        while True:
            answer = ask(self._fs, "call_s3", "list_multipart_uploads", **where)
            yield from ((bucket, upload) for upload in answer.get("Uploads", []))
            if not answer.get("IsTruncated"):
                return
            where["KeyMarker"] = answer["NextKeyMarker"]
            where["UploadIdMarker"] = answer["NextUploadIdMarker"]


def _delete_once(fs: AbstractFileSystem, bucket: str, keys: Sequence[Mapping[str, str]]) -> None:
    answer = fs.call_s3("delete_objects", Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    # The request as a whole has worked then; s3fs's own `rm` does not look at these.
    for fault in answer.get("Errors", []):
        passing = fault.get("Code") in PASSING_CODES
        text = f"{fault.get('Key')}: {fault.get('Message') or fault.get('Code')}"
        raise OSError(errno.EBUSY if passing else errno.EACCES, text)
