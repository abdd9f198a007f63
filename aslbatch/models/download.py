"""Bring the files of a checkpoint into a local folder: from the Hub, or from any file system."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

from aslbatch.errors import ModelError
from aslbatch.provenance.hashing import sha256_json
from aslbatch.provenance.hub import explain, hub_errors
from aslbatch.provenance.uri import without_credentials

_COMMIT = re.compile(r"[0-9a-f]{40}")


def download_hub(name: str, revision: str | None, patterns: Sequence[str]) -> tuple[Path, str]:
    """Bring a model of the Hugging Face Hub into the Hub's own cache.

    Args:
        name: As in `org/name`.
        revision: Branch, tag or commit; None for `main`.
        patterns: Names of the files that are wanted, at the root of the repository.

    Returns:
        The folder, and the commit that it holds.

    Raises:
        ModelError: The model is not in the cache, and the Hub does not give it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    wanted = f"{name} (revision {revision or 'main'})"
    try:
        # The Hub's patterns match across slashes, so what lies deeper is ruled out.
        folder = Path(
            snapshot_download(
                name, revision=revision, allow_patterns=list(patterns), ignore_patterns=["*/*"]
            )
        )
    except LocalEntryNotFoundError as error:
        raise ModelError(
            f"{wanted}: not, or not all of it, in the local Hub cache, and "
            f"{explain(error.__cause__)}; without a network, set model.name to a local folder or "
            f"to 'demo'"
        ) from error
    except hub_errors() as error:
        raise ModelError(f"{wanted}: {explain(error)}") from error
    except HFValidationError as error:
        raise ModelError(
            f"model.name {name!r} is neither a folder nor a Hub id: {error}"
        ) from error
    except OSError as error:
        raise ModelError(f"{wanted}: cannot be stored ({error}); HF_HOME says where") from error
    # A snapshot's folder is named after its commit, which pins what was really loaded.
    return folder, folder.name if _COMMIT.fullmatch(folder.name) else revision or ""


def download_url(url: str, patterns: Sequence[str], storage_options: Mapping[str, Any]) -> Path:
    """Copy a remote folder once into aslbatch's cache; a half-made copy is never used.

    Args:
        url: An fsspec URL of a folder.
        patterns: Names of the files that are wanted.
        storage_options: Arguments of the file system.

    Raises:
        ModelError: The folder is missing or out of reach, or there is no room for it.
    """
    shown = without_credentials(url)
    with _plain_errors(shown, storage_options):
        filesystem, root = fsspec.core.url_to_fs(url, **storage_options)
        listed = filesystem.ls(root, detail=True)
        remote = {Path(entry["name"]).name: entry for entry in listed if entry["type"] == "file"}
        wanted = {
            name: entry
            for name, entry in remote.items()
            if any(Path(name).match(pattern) for pattern in patterns)
        }
        identity = {"url": url} | {name: filesystem.ukey(e["name"]) for name, e in wanted.items()}
    target = _cache_folder() / sha256_json(identity)[:32]
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
    try:
        with _plain_errors(shown, storage_options):
            for name, entry in wanted.items():
                filesystem.get_file(entry["name"], str(partial / name))
        partial.rename(target)
    except OSError as error:
        if not target.is_dir():  # else another worker of this node was faster
            raise ModelError(f"{shown}: cannot be copied to {target} ({error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


@contextmanager
def _plain_errors(shown: str, storage_options: Mapping[str, Any]) -> Iterator[None]:
    """Turn whatever a file system raises into a ModelError."""
    try:
        yield
    except FileNotFoundError as error:
        raise ModelError(f"{shown}: there is no such folder or file; check model.name") from error
    except Exception as error:
        # Each file system has errors of its own; some repeat the options that it was given.
        told = not storage_options or isinstance(error, ImportError | OSError)
        raise ModelError(
            f"{shown}: cannot be read ({type(error).__name__}{f': {error}' if told else ''}); "
            f"credentials come from model.storage_options or the environment"
        ) from (error if told else None)


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aslbatch" / "models"
