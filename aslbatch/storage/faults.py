"""What the errors of remote storage mean: whether they pass by themselves, and their `errno`.

The libraries below fsspec raise some hundred kinds of errors. They are told apart without importing
any of those libraries, by this rule, in this order, over an error and what it was raised from:

1. An error code that S3 documents as passing, such as `SlowDown`, is a passing fault.
2. What is missing, there already, or not allowed is none, nor is a certificate that is not trusted,
   nor a Hub that must not be asked.
3. The first of the errors that carries an HTTP status, or says that no answer came, decides:
   statuses 408, 425, 429 and all from 500 on but 501 and 505 are passing faults; so are time-outs,
   broken connections and incomplete answers, known by `errno`, by built-in class, or by the name
   of a class and the library that it comes from.

Everything else, such as missing credentials, is none.
"""

import errno
import http.client
import ssl
from collections.abc import Iterator, Mapping

# `NoSuchUpload` because another driver swept the upload away, or a repeated request finds it done.
PASSING_CODES = {
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "NoSuchUpload",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "XAmzContentSHA256Mismatch",
}
_LASTING = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
)
_LASTING_CLASSES = {"ClientConnectorCertificateError", "OfflineModeIsEnabled"}
_PASSING = (TimeoutError, ConnectionError, http.client.HTTPException)
_REMOTE = getattr(errno, "EREMOTEIO", errno.EIO)  # on Linux; what s3fs makes of an InternalError
_PASSING_ERRNOS = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETRESET,
    errno.ENETUNREACH,
    _REMOTE,
    errno.ETIMEDOUT,
}
_PASSING_CLASSES = {
    "botocore": "ConnectionError HTTPClientError IncompleteReadError ResponseParserError "
    "FlexibleChecksumError",
    "aiohttp": "ClientConnectionError ClientPayloadError",
    "azure": "ServiceRequestError ServiceResponseError IncompleteReadError",
    "requests": "ConnectionError Timeout ChunkedEncodingError ContentDecodingError",
    "urllib3": "ProtocolError TimeoutError",
    "httpx": "TimeoutException NetworkError ProxyError RemoteProtocolError",
    "httpcore": "TimeoutException NetworkError ProxyError RemoteProtocolError",
    "gcsfs": "ChecksumError",
    "google": "TransportError RetryError",
    "fsspec": "FSTimeoutError",
}
_LIBRARIES = frozenset([*_PASSING_CLASSES, "aiobotocore", "s3fs", "adlfs", "huggingface_hub"])


_ERRNO_OF_CLASS = {
    FileNotFoundError: errno.ENOENT,
    FileExistsError: errno.EEXIST,
    PermissionError: errno.EACCES,
}
_ERRNO_OF_STATUS = {401: errno.EACCES, 403: errno.EACCES, 404: errno.ENOENT, 501: errno.ENOSYS}


def is_passing(error: BaseException) -> bool:
    """Return whether a fault may pass by itself, by the rule of this module."""
    chain = list(links(error))
    if any(_http(link)[1] in PASSING_CODES for link in chain):
        return True
    if isinstance(error, _LASTING) or any(_is_hopeless(link) for link in chain):
        return False
    for link in chain:
        status, _ = _http(link)
        if status is not None:
            return status in (408, 425, 429) or (status >= 500 and status not in (501, 505))
        if _is_cut_off(link):
            return True
    return False


def is_of_storage(error: Exception) -> bool:
    """Return whether an error comes from storage, and not from a mistake in a program."""
    # s3fs and gcsfs raise plain ValueErrors and RuntimeErrors for some refused requests.
    return (
        isinstance(error, OSError | http.client.HTTPException)
        or type(error) in (ValueError, RuntimeError)
        or any(library in _LIBRARIES for library, _ in _libraries(error))
    )


def errno_of(error: Exception) -> int:
    """Return the `errno` of an error, or the one that is nearest to what it says.

    That of a passing fault is one by which `is_passing` knows it again.
    """
    statuses = [status for status, _ in map(_http, links(error)) if status is not None]
    number = getattr(error, "errno", None)
    if is_passing(error):
        names = " ".join(name for _, name in _libraries(error)).lower()
        if number in _PASSING_ERRNOS:
            return int(number)
        if "timeout" in names:
            return errno.ETIMEDOUT
        return errno.EBUSY if statuses else errno.ECONNRESET
    if 412 in statuses:  # not every server says in words which of the conditions failed
        return errno.EEXIST
    if isinstance(number, int) and number > 0:
        return number
    for kind, nearest in _ERRNO_OF_CLASS.items():
        if isinstance(error, kind):
            return nearest
    if statuses:
        return _ERRNO_OF_STATUS.get(statuses[0], errno.EINVAL)
    missing = any("Credential" in name or "Auth" in name for _, name in _libraries(error))
    return errno.EACCES if missing else errno.EIO


def links(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, what it was raised from, and so on, each once."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        yield error
        seen.append(error)
        error = error.__cause__


def _libraries(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the library and the name of each class of an error; httpx2 counts as httpx."""
    for kind in type(error).__mro__:
        yield kind.__module__.partition(".")[0].rstrip("0123456789"), kind.__name__


def _is_cut_off(error: BaseException) -> bool:
    """Return whether an answer did not come, or not whole."""
    return (
        isinstance(error, _PASSING)
        or getattr(error, "errno", None) in _PASSING_ERRNOS
        or any(
            name in _PASSING_CLASSES.get(library, "").split() for library, name in _libraries(error)
        )
    )


def _is_hopeless(error: BaseException) -> bool:
    names = {name for _, name in _libraries(error)}
    wrapped = getattr(error, "kwargs", None)  # where botocore keeps what it was raised from
    inner = wrapped.get("error") if isinstance(wrapped, dict) else None
    return (
        isinstance(error, ssl.SSLCertVerificationError)
        or not names.isdisjoint(_LASTING_CLASSES)
        or (isinstance(inner, BaseException) and _is_hopeless(inner))
    )


def _http(error: BaseException) -> tuple[int | None, str]:
    """Return the HTTP status that an error carries, and the code that S3 gives beside it."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status, str(response.get("Error", {}).get("Code", ""))
    for holder, name in (
        (error, "status"),
        (error, "status_code"),
        (response, "status_code"),
        (error if type(error).__name__ == "HttpError" else None, "code"),  # of gcsfs
    ):
        found = str(getattr(holder, name, ""))
        if found.isdecimal() and 100 <= int(found) < 600:
            return int(found), ""
    return None, ""
