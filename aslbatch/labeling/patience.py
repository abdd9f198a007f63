"""Calling a teacher's service until it answers: faults that pass are waited out."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

GONE = frozenset({403, 404, 410})
"""Statuses of HTTP by which what was there is not any more, or is another account's."""

_LONGEST_WAIT_S = 60.0


def patiently(
    call: Callable[[], T],
    *,
    is_passing: Callable[[Exception], bool],
    patience_s: float,
    first_wait_s: float = 1.0,
) -> T:
    """Call a service, and again after a wait while it fails for reasons that pass.

    Waits double from `first_wait_s` up to a minute, each a random share of that, so that many
    clients do not come back at once; a service that says how long to wait (`Retry-After`) gets
    at least that. Calls must not be nested.

    Args:
        call: Asks the service; may be called often, also after it has worked but its answer was
            lost, so it must not be one that costs.
        is_passing: Whether an error is one that passes.
        patience_s: Seconds after which no new call is made.
        first_wait_s: The most seconds before the second call.

    Returns:
        What the first call that works returns.

    Raises:
        Exception: What the last call raised, as it is.
    """
    give_up_at = time.monotonic() + patience_s
    longest_wait = min(first_wait_s, _LONGEST_WAIT_S)
    while True:
        try:
            return call()
        except Exception as error:
            if not is_passing(error):
                raise
            wait = max(random.uniform(0, longest_wait), asked_wait_s(error))
            if time.monotonic() + wait > give_up_at:
                raise
        time.sleep(wait)
        longest_wait = min(2 * longest_wait, _LONGEST_WAIT_S)


def asked_wait_s(error: Exception) -> float:
    """Return how many seconds a service asked to wait with its `Retry-After`; 0 if it did not.

    Args:
        error: Any error; those of HTTP clients hold the answer that they are about as `response`.
    """
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        # A date is possible too, but no teacher is known to send one; waits then grow as ever.
        return max(0.0, float(headers.get("retry-after", 0)))
    except ValueError:
        return 0.0
