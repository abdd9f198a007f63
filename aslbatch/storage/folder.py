"""A folder on a local disk or an object store, in which files appear whole or not at all."""

import errno
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from pyarrow.fs import FSSpecHandler, PyFileSystem

from aslbatch.errors import SinkError
from aslbatch.provenance.uri import without_credentials
from aslbatch.storage.faults import is_passing
from aslbatch.storage.local_files import LocalFiles
from aslbatch.storage.object_files import ObjectFiles
from aslbatch.storage.remote import check_scheme, credentials_hint, open_fs

_AGAIN = "nothing that was committed is lost, {remedy} and run the same command again"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Storage:
    """Reads and publishes whole files below one root; names are relative, with `/`.

    A reader never sees a half-written file. What a writer that dies leaves behind is no file, and
    `sweep` removes it. Several drivers may write, sweep and delete in the same place. Passing
    faults of an object store are waited out, see `aslbatch.storage.insist`.
    """

    def __init__(self, uri: str, storage_options: Mapping[str, Any] | None = None) -> None:
        self._options = dict(storage_options or {})
        self.uri = without_credentials(uri)
        self._scheme = check_scheme(uri, error=SinkError)
        self._fs, root = open_fs(uri, self._options, error=SinkError)
        self._root = root.rstrip("/")
        self._files = LocalFiles() if self.is_local else ObjectFiles(self._fs)
        # Workers have other working directories than the driver.
        self._location = self._root or "/" if self.is_local else uri

    def __getstate__(self) -> dict[str, Any]:
        return {"uri": self.uri, "location": self._location, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["location"], state["options"])  # type: ignore[misc]
        self.uri = state["uri"]

    def __repr__(self) -> str:
        return f"Storage({self.uri!r})"

    @property
    def is_local(self) -> bool:
        """Whether the root lies on a local disk."""
        return isinstance(self._fs, LocalFileSystem)

    @property
    def location(self) -> str:
        """A path or URL that finds the folder from any working directory."""
        return self._location

    def for_arrow(self) -> tuple[PyFileSystem, str]:
        """Return the folder as Arrow sees it: its file system, and its path there."""
        return PyFileSystem(FSSpecHandler(self._fs)), self._root

    def holds(self, path: str) -> bool:
        """Return whether a full path or URL lies below the root."""
        return self._is_alike(path) and str(self._fs._strip_protocol(path)).startswith(
            f"{self._root}/"
        )

    def below(self, name: str) -> "Storage":
        """Return a folder below this one, opened with the same options."""
        folder = Storage(f"{self._location.rstrip('/')}/{name}", self._options)
        folder.uri = f"{self.uri.rstrip('/')}/{name}"
        return folder

    def elsewhere(self, uri: str) -> "Storage":
        """Return any other folder; the options are for storage of the same kind only.

        Raises:
            SinkError: The kind of storage is not supported, or cannot be set up.
        """
        return Storage(uri, self._options if self._is_alike(uri) else None)

    def publish(self, name: str, data: bytes) -> None:
        """Write a whole file, replacing one of that name.

        Raises:
            SinkError: The file cannot be written; nothing of it is left.
        """
        with self._told(name, "written", _AGAIN.format(remedy="mend its permissions")):
            self._files.publish(self._path(name), data)

    def publish_new(self, name: str, data: bytes) -> bool:
        """Write a whole file unless one of that name exists.

        On an object store two callers with the very same bytes may both be told that they wrote
        them. Where just one may win, let the bytes say who writes.

        Returns:
            Whether this call wrote it.

        Raises:
            SinkError: The file cannot be written.
        """
        with self._told(name, "written", "choose another sink.path or mend its permissions"):
            return self._files.create(self._path(name), data)

    def publish_folder(self, name: str, folder: Path) -> None:
        """Write the files of a local folder, in the order of their names.

        Raises:
            SinkError: A file cannot be written.
        """
        for path in sorted(folder.iterdir()):
            self.publish(f"{name}/{path.name}", path.read_bytes())

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            FileNotFoundError: There is no such file.
            SinkError: It cannot be read.
        """
        with self._told(name, "read", "mend its permissions", missing_is_told=False):
            return self._files.read(self._path(name))

    def exists(self, name: str) -> bool:
        """Return whether a file or folder of this name exists.

        Raises:
            SinkError: The storage cannot be asked.
        """
        with self._told(name, "looked up", "mend its permissions"):
            return self._files.exists(self._path(name))

    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted, without temporary ones.

        Raises:
            SinkError: The folder is there, but cannot be listed.
        """
        with self._told(folder, "listed", "mend its permissions"):
            found = self._files.names(self._path(folder))
        return sorted(name for name in found if name and not name.startswith("."))

    def delete(self, name: str) -> None:
        """Delete a file or a whole folder; one that does not exist is no error.

        Raises:
            SinkError: It cannot be deleted.
        """
        with self._told(name, "deleted", "mend its permissions"):
            self._files.delete(self._path(name))

    def sweep(self, folder: str) -> None:
        """Remove what dead writers left in a folder, but nothing that a living one needs.

        Raises:
            SinkError: The storage cannot be asked.
        """
        with self._told(folder, "swept", "mend its permissions"):
            self._files.sweep(self._path(folder))

    def _is_alike(self, uri: str) -> bool:
        """Return whether a path or URL is on the same kind of storage."""
        known = self._fs.protocol
        scheme, has_scheme, _ = uri.partition("://")
        return (scheme if has_scheme else "file") in ((known,) if isinstance(known, str) else known)

    def _path(self, name: str) -> str:
        return posixpath.join(self._root, name) if name else self._root

    @contextmanager
    def _told(
        self, name: str, done: str, remedy: str, *, missing_is_told: bool = True
    ) -> Iterator[None]:
        """Turn what storage raises into a SinkError that says what to do."""
        try:
            yield
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not missing_is_told:
                raise
            if not self.is_local:
                remedy = self._remedy(error)
            elif error.errno in _FULL:
                remedy = _AGAIN.format(remedy="free some space")
            path = f"{self.uri}/{name}".rstrip("/")
            raise SinkError(
                f"{path}: cannot be {done} ({error.strerror or error}); {remedy}"
            ) from error

    def _remedy(self, error: OSError) -> str:
        """Say what to do about an error of an object store."""
        if isinstance(error, PermissionError):
            hint = credentials_hint(self._scheme)
            return f"check the credentials and what they allow: sink.storage_options ({hint})"
        if isinstance(error, FileNotFoundError):
            return "there is no such bucket or container; create it or correct sink.path"
        if is_passing(error):
            return _AGAIN.format(remedy="see to the storage or the network")
        return "check sink.path and sink.storage_options"
