"""Seeds that depend on what is translated, not on what was sampled before it."""

import hashlib
from collections.abc import Sequence


def seed_of(values: Sequence[object], seed: int) -> int:
    """Return a signed 64-bit seed for some values, such as token ids, under a job's seed."""
    digest = hashlib.sha256(repr((seed, list(values))).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
