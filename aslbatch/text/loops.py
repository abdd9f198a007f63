"""Texts that say the same over and over, as a decoder does that has degenerated.

Holtzman et al. 2020, https://arxiv.org/abs/1904.09751.
"""

from collections.abc import Sequence


def most_repeats(words: Sequence[str], longest_phrase: int) -> int:
    """Return how many times in a row a phrase stands, of that which does so most often.

    Args:
        words: The text.
        longest_phrase: The most words of a phrase.

    Returns:
        1 where nothing is repeated, 0 where there are no words.
    """
    most = 1 if words else 0
    for size in range(1, longest_phrase + 1):
        run = 0
        for index in range(size, len(words)):
            run = run + 1 if words[index] == words[index - size] else 0
            most = max(most, run // size + 1)
    return most
