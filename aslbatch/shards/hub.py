"""Sources on the Hugging Face Hub: a branch or tag is pinned to the commit that it names now."""

import re
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem

from aslbatch.errors import SourceError
from aslbatch.provenance.hub import hub_errors
from aslbatch.provenance.uri import without_credentials
from aslbatch.storage.insist import insist
from aslbatch.storage.remote import open_fs

_PROTOCOL = "hf://"
_PATIENCE_S = 10.0
"""A job that starts is being looked at: it had better say soon that the Hub is out of reach."""
_PINNED = re.compile(r"hf://((datasets|models|spaces)/)?[^/@]+/[^/@]+@[0-9a-f]{40}(/|$)")


def pin(path: str, storage_options: Mapping[str, Any]) -> str:
    """Return a Hub path with its revision replaced by the commit that it is now.

    So a run reads one state of a repository, whatever is pushed meanwhile, and its rows say which.

    Args:
        path: A file, folder or glob as `HfFileSystem` writes it:
            `hf://datasets/org/name[@revision][/path]`, slashes of a revision as `%2F`. Any other
            path, and that of a bucket, which has no revisions, is returned as it is.
        storage_options: Arguments of the file system, such as `token`.

    Raises:
        SourceError: The path is malformed, the repository or the revision is missing or out of
            reach.
    """
    if not path.startswith(_PROTOCOL):
        return path
    from huggingface_hub import HfApi, constants

    fs, _ = open_fs(path, storage_options)
    api = HfApi(endpoint=fs.endpoint, token=fs.token)
    try:
        found = insist(lambda: _resolve(fs, path), patience_s=_PATIENCE_S)
        if not hasattr(found, "revision"):
            return path
        about = insist(
            lambda: api.repo_info(
                found.repo_id, repo_type=found.repo_type, revision=found.revision
            ),
            patience_s=_PATIENCE_S,
        )
    except OSError as error:
        hint = "" if "://datasets/" in path else "; a data set begins with hf://datasets/"
        raise SourceError(f"{path}: {error.strerror or error}{hint}") from error
    prefix = constants.REPO_TYPES_URL_PREFIXES.get(found.repo_type, "")
    return f"{_PROTOCOL}{prefix}{found.repo_id}@{about.sha}/{found.path_in_repo}".rstrip("/")


def _resolve(fs: AbstractFileSystem, path: str) -> Any:  # noqa: ANN401 - a type of the Hub's client
    """Return what a path names; where there is nothing, raise what the Hub answered."""
    try:
        return fs.resolve_path(path)
    except FileNotFoundError as error:
        if isinstance(error.__cause__, hub_errors()):
            raise error.__cause__ from None  # whose own cause it must not become
        raise
    except (ValueError, NotImplementedError) as error:
        raise SourceError(
            f"{without_credentials(path)}: not a path of the Hub; write "
            "hf://datasets/org/name[@revision][/path], slashes of a revision as %2F"
        ) from error


def is_pinned(path: str) -> bool:
    """Return whether a path lies in one commit of the Hub, so that its content cannot change."""
    return _PINNED.match(path) is not None
