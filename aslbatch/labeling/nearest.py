"""Which examples are most like a text: cosine of the words, each weighted by how rare it is."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+(?:'\w+)*")


class NearestSources:
    """Ranks texts by their cosine with another one, words weighted by inverse document frequency.

    A word counts once in a text. The weight of a word is that of Spärck Jones 1972,
    https://doi.org/10.1108/eb026526, smoothed.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Index texts, numbered from 0 in their order."""
        words = [_words(text) for text in texts]
        counts = Counter(word for each in words for word in each)
        weights = {word: math.log(1 + len(texts) / count) for word, count in counts.items()}
        postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, each in enumerate(words):
            length = math.sqrt(math.fsum(weights[word] ** 2 for word in each))
            for word in each:
                postings[word].append((number, weights[word] ** 2 / length))
        self._size = len(texts)
        self._postings: dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]] = {
            word: (
                np.array([number for number, _ in found], dtype=np.intp),
                np.array([weight for _, weight in found], dtype=np.float64),
            )
            for word, found in postings.items()
        }

    def ranked(self, text: str, count: int) -> list[int]:
        """Return the numbers of the texts most like this one, most alike first, ties by number.

        Args:
            text: What to compare with.
            count: How many to return; fewer where there are not as many.
        """
        distances = np.zeros(self._size)
        for word in _words(text):
            if word in self._postings:
                numbers, weights = self._postings[word]
                distances[numbers] -= weights
        ranked: list[int] = np.argsort(distances, kind="stable")[:count].tolist()
        return ranked


def _words(text: str) -> list[str]:
    """Return each word once, in an order that does not change between runs."""
    return list(dict.fromkeys(_WORD.findall(text.casefold())))
