"""Files of a local disk, which appear whole or not at all."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TRIES = 10


class LocalFiles:
    """Reads and publishes whole files, by full path.

    A file is written under a temporary name in the same folder, synced, and renamed. A writer that
    dies leaves at most a temporary file, whose name starts with a dot; `sweep` removes it.
    """

    def publish(self, path: str, data: bytes) -> None:
        """Write a file, replacing one of that name."""
        _place(Path(path), data, _replace)

    def create(self, path: str, data: bytes) -> bool:
        """Write a file unless there is one; return whether this call wrote it."""
        try:
            _place(Path(path), data, _link)
        except FileExistsError:
            if Path(path).parent.is_file():
                raise
            return False
        return True

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return Path(path).read_bytes()

    def exists(self, path: str) -> bool:
        """Return whether there is a file or folder."""
        return os.path.lexists(path)

    def names(self, path: str) -> list[str]:
        """Return the names of the files directly in a folder, in no certain order."""
        try:
            with os.scandir(path) as entries:
                return [entry.name for entry in entries if entry.is_file()]
        except FileNotFoundError:
            return []

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all that is in it."""
        tries_left = _TRIES
        while True:
            try:
                if Path(path).is_dir():
                    shutil.rmtree(path)
                else:
                    Path(path).unlink(missing_ok=True)
            except FileNotFoundError:  # another driver deletes it too: there is less each time
                continue
            except OSError:  # perhaps another driver writes into it
                tries_left -= 1
                if not tries_left:
                    raise
            else:
                return

    def sweep(self, path: str) -> None:
        """Remove the temporary files that dead writers left in a folder, but no living one's."""
        for temporary in Path(path).glob(".*.tmp"):
            # An error says that its writer holds the lock, or that it is gone already.
            with suppress(OSError), temporary.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                temporary.unlink()


def _replace(temporary: Path, path: Path) -> None:
    """Rename in one step, and make that last."""
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Have a folder on the disk, without which a file's new name may be lost with the power."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _link(temporary: Path, path: Path) -> None:
    """Give the file its name unless that is taken, on file systems without links too.

    On these a kill in the moment between the two steps leaves an empty file.
    """
    try:
        path.hardlink_to(temporary)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        path.open("xb").close()  # takes the name, or finds it taken
        try:
            temporary.replace(path)
        except OSError:
            path.unlink()
            raise
    _sync(path.parent)


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
