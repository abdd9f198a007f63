"""A baseline that copies its input, since gloss shares most of its words with English."""

import string


def spaced(text: str | None) -> str:
    """Return a text with single spaces, which no score should depend on; empty for none."""
    return " ".join((text or "").split())


def copied(text: str, *, gloss: bool) -> str:
    """Return the input as a system would give it that translates nothing but conventions.

    Args:
        text: The input.
        gloss: Whether the output would be gloss.
    """
    if not gloss:
        return spaced(text).lower()
    words = (word.strip(string.punctuation) for word in text.upper().split())
    return " ".join(filter(None, words))
