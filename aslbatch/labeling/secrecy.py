"""The key of a teacher, hidden in what its answers are stored as."""

from aslbatch.storage.insist import without_secrets

_SHORTEST_KEY = 12


def without_key(text: str, api_key: str | None) -> str:
    """Return a text of a service without the key; a short one is a placeholder, and stays.

    Where a service wants no key, it is any text, such as EMPTY, which may be a sign of a gloss.
    """
    is_key = api_key is not None and len(api_key) >= _SHORTEST_KEY
    return without_secrets(text, {api_key or ""} if is_key else ())
