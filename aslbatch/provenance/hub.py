"""What the client of the Hugging Face Hub raises, in plain words and without its URLs.

Its own messages repeat URLs, which may be signed ones of a storage behind the Hub.
"""

import sys


def hub_errors() -> tuple[type[Exception], ...]:
    """Return what the client raises when it cannot read from the Hub, for an `except` clause.

    Empty while the client is not imported, which is done only where something of the Hub is used.
    """
    errors = sys.modules.get("huggingface_hub.errors")
    # HTTPError is that of the HTTP library below: a broken connection is no OSError there.
    return (errors.HTTPError, errors.OfflineModeIsEnabled) if errors else ()


def explain(error: BaseException | None) -> str:
    """Return why the Hub did not give what it was asked for, and what to do about it."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return "its terms must be accepted on the Hub first; do so, and set HF_TOKEN"
    response = error.response if isinstance(error, HfHubHTTPError) else None
    # Who sends no token is told 401 for whatever is missing or private; over plain HTTP, as mirrors
    # are reached, the client does not take it for a missing repository.
    anonymous = response is not None and "authorization" not in response.request.headers
    status = response.status_code if response is not None else None
    if isinstance(error, RepositoryNotFoundError) or (status == 401 and anonymous):
        return (
            "there is no such repository, or it is private; check the name, or set HF_TOKEN to a "
            "token that may read it"
        )
    if isinstance(error, RevisionNotFoundError):
        return "there is no such branch, tag or commit; check the revision"
    if isinstance(error, RemoteEntryNotFoundError):
        return "there is no such file in this revision; check the path"
    if isinstance(error, OfflineModeIsEnabled):
        return "the Hub must not be asked (HF_HUB_OFFLINE is set); unset it, or name a local copy"
    if status in (401, 403):
        return f"the Hub refuses the token (status {status}); check HF_TOKEN"
    what = f"status {status}" if status else type(error).__name__
    return f"the Hub cannot be reached ({what}); try again, or name a local copy"
