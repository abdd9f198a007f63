"""Calling remote storage until it answers: passing faults are waited out, all others made plain."""

import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from aslbatch.provenance.hub import explain, hub_errors
from aslbatch.provenance.uri import without_credentials
from aslbatch.storage.faults import errno_of, is_of_storage, is_passing, links

T = TypeVar("T")

PATIENCE_S = 120.0
"""Seconds for which a fault is waited out, unless the caller says otherwise."""

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 20.0
_LONGEST_TEXT = 500

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_SECRET_KEY = re.compile(
    r"key|secret|token|passw|credential|sas|connection_string|authorization|cookie|signature",
    re.IGNORECASE,
)


def insist(
    what: Callable[[], T], *, secrets: Collection[str] = (), patience_s: float | None = None
) -> T:
    """Call remote storage, and again after a wait while it fails for reasons that pass.

    Waits grow from half a second to 20 seconds, each a random share of that, so that many workers
    do not come back at once. A call that is under way is never cut short. Calls must not be nested.

    Args:
        what: Calls storage and nothing else; may be called often, also after it has worked but its
            answer was lost.
        secrets: Texts that error messages must not show.
        patience_s: Seconds after which no new call is made; `PATIENCE_S` unless given.

    Returns:
        What the first call that works returns.

    Raises:
        OSError: What storage said last, always with an `errno`, and without credentials.
    """
    give_up_at = time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)
    longest_wait = _FIRST_WAIT_S
    while True:
        try:
            return what()
        except Exception as error:
            if not is_of_storage(error):
                raise
            wait = random.uniform(0, longest_wait)
            if not is_passing(error) or time.monotonic() + wait > give_up_at:
                raise _plain(error, secrets) from _unless_telling(error, secrets)
        time.sleep(wait)
        longest_wait = min(2 * longest_wait, _LONGEST_WAIT_S)


def secrets_of(storage_options: Mapping[str, Any]) -> frozenset[str]:
    """Return the values of storage options that look secret by their keys."""
    return frozenset(text for text in _secrets(storage_options, inside=False) if len(text) > 4)


def masked(text: str, secrets: Collection[str]) -> str:
    """Return a text with secrets, and the credentials of URLs, replaced."""
    return _URL.sub(lambda match: without_credentials(match[0]), without_secrets(text, secrets))


def without_secrets(text: str, secrets: Collection[str]) -> str:
    """Return a text with secrets replaced, and nothing else."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
    return text


def _plain(error: Exception, secrets: Collection[str]) -> OSError:
    """Return an error as the built-in class that goes with its `errno`, safe to show."""
    if isinstance(error, hub_errors()):
        return OSError(errno_of(error), explain(error))
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return OSError(errno_of(error), masked(" ".join(lines[:2]), secrets)[:_LONGEST_TEXT])


def _unless_telling(error: Exception, secrets: Collection[str]) -> Exception | None:
    """Return the error, for a traceback to show, unless it or what it came from tells a secret."""
    texts = [str(link) for link in links(error)]
    return error if all(masked(text, secrets) == text for text in texts) else None


def _secrets(value: object, *, inside: bool) -> Iterator[str]:
    """Yield the texts below secret keys, and the parts of connection strings."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(item, inside=inside or bool(_SECRET_KEY.search(str(key))))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(item, inside=inside)
    elif inside and isinstance(value, str):
        yield value
        for part in value.split(";"):
            key, _, text = part.partition("=")
            if _SECRET_KEY.search(key):
                yield text
