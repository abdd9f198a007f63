"""Sources on the Hugging Face Hub: a branch or tag is pinned to the commit that it names now."""

import re
from collections.abc import Mapping
from typing import Any

from fsspec.core import url_to_fs

from aslbatch.errors import SourceError
from aslbatch.provenance.hub import explain, hub_errors
from aslbatch.provenance.uri import without_credentials

_PROTOCOL = "hf://"
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

    fs, _ = url_to_fs(path, **storage_options)
    try:
        found = fs.resolve_path(path)
        if not hasattr(found, "revision"):
            return path
        api = HfApi(endpoint=fs.endpoint, token=fs.token)
        about = api.repo_info(found.repo_id, repo_type=found.repo_type, revision=found.revision)
    except (ValueError, NotImplementedError) as error:
        raise SourceError(
            f"{without_credentials(path)}: not a path of the Hub; write "
            "hf://datasets/org/name[@revision][/path], slashes of a revision as %2F"
        ) from error
    except FileNotFoundError as error:
        # The file system hides the Hub's answer behind it.
        raise _refused(path, error.__cause__) from error
    except hub_errors() as error:
        raise _refused(path, error) from error
    prefix = constants.REPO_TYPES_URL_PREFIXES.get(found.repo_type, "")
    return f"{_PROTOCOL}{prefix}{found.repo_id}@{about.sha}/{found.path_in_repo}".rstrip("/")


def is_pinned(path: str) -> bool:
    """Return whether a path lies in one commit of the Hub, so that its content cannot change."""
    return _PINNED.match(path) is not None


def _refused(path: str, answer: BaseException | None) -> SourceError:
    hint = "" if "://datasets/" in path else "; a data set begins with hf://datasets/"
    return SourceError(f"{path}: {explain(answer)}{hint}")
