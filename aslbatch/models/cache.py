"""Where models are kept between jobs on one machine: folders that are made once, and are whole."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """Return the folder of one kind of cached models; it may not exist yet.

    Args:
        kind: `models` for checkpoints copied from storage, `engines` for converted ones.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aslbatch" / kind


def make_once(target: Path, make: Callable[[Path], None]) -> bool:
    """Make a folder unless it is there; wait for whoever is at it.

    The folder appears by a rename, so that one with the right name is whole. The lock is one of the
    operating system, which ends with the process; what a killed process left is removed.

    Args:
        target: The folder.
        make: Fills a new folder, which becomes `target`.

    Returns:
        Whether this call made it.

    Raises:
        OSError: The cache cannot be written.
    """
    if target.is_dir():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    locks = target.parent.with_name("locks")
    locks.mkdir(exist_ok=True)
    with _locked(locks / f"{target.parent.name}-{target.name}.lock"):
        if target.is_dir():
            return False
        for stale in target.parent.glob(f".{target.name}-partial-*"):
            shutil.rmtree(stale, ignore_errors=True)
        partial = target.with_name(f".{target.name}-partial-{uuid.uuid4().hex}")
        partial.mkdir()  # unlike mkdtemp's, other users may read it
        try:
            make(partial)
            _sync(partial)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process; the file stays, since others may wait on it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sync(folder: Path) -> None:
    """Make sure that what the rename shows is on the disk."""
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
