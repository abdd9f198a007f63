"""Bring the files of a checkpoint into a local folder: from the Hub, or from any file system."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from aslbatch.errors import ModelError
from aslbatch.models.cache import cache_folder, make_once
from aslbatch.provenance.hashing import sha256_json
from aslbatch.provenance.hub import explain, hub_errors
from aslbatch.provenance.uri import without_credentials
from aslbatch.storage.faults import is_passing
from aslbatch.storage.insist import insist
from aslbatch.storage.remote import credentials_hint, open_fs
from aslbatch.storage.remote_file import read_range
from aslbatch.storage.remote_listing import Listed, list_folder

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BLOCK_BYTES = 32 << 20


def download_hub(name: str, revision: str | None, patterns: Sequence[str]) -> tuple[Path, str]:
    """Bring a model of the Hugging Face Hub into the Hub's own cache, waiting out faults that pass.

    Args:
        name: As in `org/name`.
        revision: Branch, tag or commit; None for `main`.
        patterns: Names of the files that are wanted, at the root of the repository.

    Returns:
        The folder, and the commit that it holds.

    Raises:
        ModelError: The model is not in the cache, and the Hub does not give it.
    """
    wanted = f"{name} (revision {revision or 'main'})"
    try:
        folder = insist(lambda: _fetch_snapshot(name, revision, patterns, wanted))
    except OSError as error:
        raise _not_cached(wanted, error.strerror or str(error)) from error
    # A snapshot's folder is named after its commit, which pins what was really loaded.
    return folder, folder.name if _COMMIT.fullmatch(folder.name) else revision or ""


def _fetch_snapshot(name: str, revision: str | None, patterns: Sequence[str], wanted: str) -> Path:
    """Return the folder of a snapshot.

    Raises:
        ModelError: It cannot be had.
        Exception: What the Hub's client raises for a fault that passes, to be tried again.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        # The Hub's patterns match across slashes, so what lies deeper is ruled out.
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=list(patterns), ignore_patterns=["*/*"]
            )
        )
    except LocalEntryNotFoundError as error:
        cause = error.__cause__
        # Where no connection can be made there most likely is no network, which is said at once.
        if cause is not None and is_passing(cause) and type(cause).__name__ != "ConnectError":
            raise cause from cause.__cause__
        raise _not_cached(wanted, explain(cause)) from error
    except hub_errors() as error:
        if is_passing(error):
            raise
        raise ModelError(f"{wanted}: {explain(error)}") from error
    except HFValidationError as error:
        raise ModelError(
            f"model.name {name!r} is neither a folder nor a Hub id: {error}"
        ) from error
    except OSError as error:
        raise ModelError(f"{wanted}: cannot be stored ({error}); HF_HOME says where") from error


def _not_cached(wanted: str, why: str) -> ModelError:
    return ModelError(
        f"{wanted}: not, or not all of it, in the local Hub cache, and {why}; without a network, "
        "set model.name to a local folder or to 'demo'"
    )


def download_url(url: str, patterns: Sequence[str], storage_options: Mapping[str, Any]) -> Path:
    """Copy a remote folder once into aslbatch's cache; a half-made copy is never used.

    Passing faults are waited out. A folder of a local disk is used where it lies.

    Args:
        url: The URL of a folder, of a kind that `aslbatch.storage.remote` knows.
        patterns: Names of the files that are wanted, directly in the folder.
        storage_options: Arguments of the file system.

    Returns:
        The local folder.

    Raises:
        ModelError: The folder is missing or out of reach, changes meanwhile, or there is no room
            for it.
    """
    shown = without_credentials(url)
    fs, root = open_fs(url, storage_options, error=ModelError)
    if isinstance(fs, LocalFileSystem) and Path(root).is_dir():
        return Path(root)
    with _told(shown):
        files = _matching(fs, root, patterns)
    if not files:
        raise ModelError(
            f"{shown}: there is no such folder, or no file of a checkpoint in it; check model.name"
        )
    target = cache_folder("models") / sha256_json({"url": url, "files": files})[:32]

    def make(partial: Path) -> None:
        _copy(fs, files, partial, shown)
        with _told(shown):
            unchanged = _matching(fs, root, patterns) == files
        if not unchanged:
            raise ModelError(f"{shown}: changed while it was copied; run the job again")

    try:
        make_once(target, make)
    except OSError as error:
        raise ModelError(
            f"{shown}: cannot be copied to {target} ({error.strerror or error}); make room "
            "there, or set XDG_CACHE_HOME to another folder"
        ) from error
    return target


def _matching(fs: AbstractFileSystem, root: str, patterns: Sequence[str]) -> list[Listed]:
    """Return the files that are wanted, sorted."""
    return sorted(
        file
        for file in list_folder(fs, root)
        if any(PurePosixPath(file.path).match(pattern) for pattern in patterns)
    )


def _copy(fs: AbstractFileSystem, files: Iterable[Listed], folder: Path, shown: str) -> None:
    """Copy files block by block, so that a fault costs one block; each must come whole.

    Raises:
        ModelError: A file cannot be read, or is shorter than its listing says.
        OSError: It cannot be written.
    """
    for file in files:
        name = PurePosixPath(file.path).name
        with (folder / name).open("wb") as copy:
            for start in range(0, file.size, _BLOCK_BYTES):
                with _told(f"{shown}/{name}"):
                    data = read_range(fs, file.path, start, min(start + _BLOCK_BYTES, file.size))
                copy.write(data)


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """Turn what storage raises into a ModelError that says what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise ModelError(f"{shown}: there is no such folder or file; check model.name") from error
    except OSError as error:
        if is_passing(error):
            remedy = "see to the storage or the network, and run the same command again"
        else:
            hint = credentials_hint(shown.partition("://")[0])
            remedy = f"check model.name and the credentials: model.storage_options ({hint})"
        raise ModelError(
            f"{shown}: cannot be read ({error.strerror or error}); {remedy}"
        ) from error
