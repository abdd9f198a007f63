"""Survival: the share of unknown words that come through a translation into gloss unharmed."""

from collections.abc import Iterable, Sequence


def survives(word: str, gloss: str) -> bool:
    """Return whether a word stands in a gloss as one token, in capitals, with or without ``#``."""
    sign = word.upper()
    return not {sign, f"#{sign}"}.isdisjoint(gloss.split())


def survival_share(words: Iterable[Sequence[str]], glosses: Iterable[str]) -> float:
    """Return the percentage of words that survive, all rows together.

    Args:
        words: For each row the words to look for.
        glosses: For each row the gloss.

    Raises:
        ValueError: The rows differ in number, or there is no word to look for.
    """
    outcomes = [
        survives(word, gloss) for row, gloss in zip(words, glosses, strict=True) for word in row
    ]
    if not outcomes:
        raise ValueError("survival needs at least one word to look for")
    return 100 * sum(outcomes) / len(outcomes)
