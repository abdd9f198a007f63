"""A folder on a local disk or an object store, in which files appear whole or not at all."""

import fcntl
import os
import posixpath
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from aslbatch.errors import SinkError
from aslbatch.provenance.uri import without_credentials

_TRIES = 10


class Storage:
    """Reads and publishes whole files below one root; names are relative, with `/`.

    On a local disk a file is written under a temporary name in the same folder, synced, and
    renamed. On an object store it is one PUT. So a reader never sees a half-written file, and
    a writer that dies leaves at most a temporary file, whose name starts with a dot; `sweep`
    removes it. Several drivers may write, sweep and delete in the same place.
    """

    def __init__(self, uri: str, storage_options: Mapping[str, Any] | None = None) -> None:
        self._options = dict(storage_options or {})
        self.uri = without_credentials(uri)
        try:
            self._fs, self._root = fsspec.core.url_to_fs(uri, **self._options)
        except (ValueError, ImportError, OSError) as error:
            raise SinkError(f"{self.uri}: no such kind of storage ({error})") from error
        # Workers have other working directories than the driver.
        self._location = self._fs.unstrip_protocol(self._root) if self.is_local else uri

    def __getstate__(self) -> dict[str, Any]:
        return {"uri": self.uri, "location": self._location, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["location"], state["options"])  # type: ignore[misc]
        self.uri = state["uri"]

    @property
    def is_local(self) -> bool:
        """Whether the root lies on a local disk."""
        return isinstance(self._fs, LocalFileSystem)

    def holds(self, path: str) -> bool:
        """Return whether a full path or URL lies below the root."""
        protocols = (
            self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,)
        )
        if "://" in path and path.partition("://")[0] not in protocols:
            return False
        inner = str(self._fs._strip_protocol(path))
        return inner.startswith(f"{self._root.rstrip('/')}/")

    def publish(self, name: str, data: bytes) -> None:
        """Write a whole file, replacing one of that name.

        Raises:
            SinkError: The file cannot be written; nothing of it is left.
        """
        path = self._path(name)
        try:
            if self.is_local:
                _place(Path(path), data, _replace)
            else:
                self._fs.pipe_file(path, data)
        except OSError as error:
            raise SinkError(
                f"{self.uri}/{name}: cannot be written ({error.strerror or error}); nothing that "
                f"was committed is lost, free the place and run the same command again"
            ) from error

    def publish_new(self, name: str, data: bytes) -> bool:
        """Write a whole file unless one of that name exists.

        Returns:
            Whether this call wrote it.

        Raises:
            SinkError: The file cannot be written.
        """
        path = self._path(name)
        try:
            if self.is_local:
                _place(Path(path), data, _link)
            else:
                self._fs.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            if self.exists(name):  # not every object store says so in this way
                return False
            raise SinkError(
                f"{self.uri}/{name}: cannot be written ({error.strerror or error}); choose "
                f"another sink.path or mend its permissions"
            ) from error
        return True

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            FileNotFoundError: There is no such file.
            SinkError: It cannot be read.
        """
        try:
            data: bytes = self._fs.cat_file(self._path(name))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise SinkError(f"{self.uri}/{name}: cannot be read ({error})") from error
        return data

    def exists(self, name: str) -> bool:
        """Return whether a file or folder of this name exists.

        Raises:
            SinkError: The storage cannot be asked.
        """
        path = self._path(name)
        self._fs.invalidate_cache(posixpath.dirname(path))
        try:
            return bool(self._fs.exists(path))
        except OSError as error:
            raise SinkError(f"{self.uri}/{name}: cannot be looked up ({error})") from error

    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted, without temporary ones.

        Raises:
            SinkError: The folder is there, but cannot be listed.
        """
        path = self._path(folder)
        self._fs.invalidate_cache(path)
        try:
            entries = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SinkError(f"{self.uri}/{folder}: cannot be listed ({error})") from error
        files = (posixpath.basename(e["name"]) for e in entries if e["type"] == "file")
        return sorted(name for name in files if not name.startswith("."))

    def delete(self, name: str) -> None:
        """Delete a file or a whole folder; one that does not exist is no error.

        Raises:
            SinkError: It cannot be deleted.
        """
        path = self._path(name)
        for tries_left in reversed(range(_TRIES)):
            try:
                if self._fs.exists(path):
                    self._fs.rm(path, recursive=True)
            except OSError as error:  # perhaps another driver deletes it, or writes into it
                if not tries_left:
                    raise SinkError(
                        f"{self.uri}/{name}: cannot be deleted ({error.strerror or error}); mend "
                        f"its permissions"
                    ) from error
            else:
                return

    def sweep(self, folder: str) -> None:
        """Remove the temporary files that dead writers left in a folder, but no living one's."""
        if not self.is_local:
            return
        for path in Path(self._path(folder)).glob(".*.tmp"):
            # An error says that its writer holds the lock, or that it is gone already.
            with suppress(OSError), path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()

    def _path(self, name: str) -> str:
        return posixpath.join(self._root, name) if name else self._root


def _replace(temporary: Path, path: Path) -> None:
    """Rename in one step, and make that last: the folder itself is synced."""
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _link(temporary: Path, path: Path) -> None:
    """Give the file its name unless that is taken, on file systems without links too."""
    try:
        path.hardlink_to(temporary)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        with path.open("xb") as file:
            file.write(temporary.read_bytes())


def _place(path: Path, data: bytes, place: Callable[[Path, Path], None]) -> None:
    """Write a file under a temporary name and have it placed."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with _temporary(path, data) as temporary:
                place(temporary, path)
        except FileNotFoundError:  # another driver took away the folder, or swept before the lock
            if not tries_left:
                raise
        else:
            return


@contextmanager
def _temporary(target: Path, data: bytes) -> Iterator[Path]:
    """Yield a synced temporary file beside its target, locked; it is gone on the way out."""
    path = target.parent / f".{target.name}.{uuid.uuid4().hex}.tmp"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb") as file:
            with suppress(OSError):  # not every file system has locks; there `sweep` does nothing
                fcntl.flock(file, fcntl.LOCK_EX)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            yield path
    finally:
        path.unlink(missing_ok=True)
