"""What the google-genai client raises, told apart: what passes, and what has changed nothing."""

PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of HTTP that come and go."""

_BROKEN = {"TimeoutException", "NetworkError", "RemoteProtocolError", "ProxyError"}
_UNSENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"}


def is_of_service(error: Exception) -> bool:
    """Return whether an error tells of the service, the way to it, or an answer of no sense."""
    return (
        status_of(error) is not None
        or bool(_http_classes(error))
        # The client raises these for answers that are no JSON, or lack what they must have.
        or isinstance(error, ConnectionError | TimeoutError | ValueError | KeyError)
    )


def is_passing(error: Exception) -> bool:
    """Return whether an error may be gone with the next call."""
    return (
        status_of(error) in PASSING
        or bool(_http_classes(error) & _BROKEN)
        or isinstance(error, ConnectionError | TimeoutError)
    )


def did_nothing(error: Exception) -> bool:
    """Return whether a request that failed has certainly changed nothing at the service."""
    status = status_of(error)
    if status is not None:
        # Who answers 408 has waited for the rest of a request, or for another server's answer.
        # Who answers 503 has too much to do, and did not begin.
        return (400 <= status < 500 and status != 408) or status == 503
    return bool(_http_classes(error) & _UNSENT)


def is_refusal_of_key(error: Exception) -> bool:
    """Return whether the service does not let the key in."""
    return status_of(error) in (401, 403) or (
        status_of(error) == 400 and "API_KEY_INVALID" in str(error)
    )


def status_of(error: Exception) -> int | None:
    """Return the status of HTTP that an error is about, if it is about one."""
    from google.genai.errors import APIError

    return error.code if isinstance(error, APIError) else None


def reason_of(error: Exception) -> str:
    """Return in a line what an error says."""
    from google.genai.errors import APIError

    if isinstance(error, APIError):
        said = f"{error.code} {error.status or ''} {error.message or ''}"
    else:
        said = f"{type(error).__name__} {error}"
    return " ".join(said.split())


def _http_classes(error: Exception) -> set[str]:
    """Return the names of an error's classes, if it is one of httpx.

    The client brings httpx2 and works with httpx too, so neither is there for sure to be imported.
    """
    classes = type(error).__mro__
    return {c.__name__ for c in classes if c.__module__.partition(".")[0] in ("httpx", "httpx2")}
