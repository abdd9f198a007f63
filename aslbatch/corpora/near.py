"""Sentences that are nearly the same: an index that finds every one above a similarity.

Similarity is the Jaccard index of character 5-grams of two keys. The index is exact: by the prefix
filter of set similarity joins (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007) two
sets above the threshold share one of their rarest members, so none is missed, unlike with MinHash.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

_GRAM_CHARACTERS = 5
_ROUNDING = 1e-9


def grams(key: str) -> frozenset[str]:
    """Return the character 5-grams of a key; a shorter one is its own."""
    starts = range(max(len(key) - _GRAM_CHARACTERS, 0) + 1)
    return frozenset(key[start : start + _GRAM_CHARACTERS] for start in starts)


def similarity(one: str, other: str) -> float:
    """Return the Jaccard index of the 5-grams of two keys, from 0 to 1."""
    return _jaccard(grams(one), grams(other))


def count_grams(keys: Iterable[str]) -> Counter[str]:
    """Return how many of the keys have each 5-gram."""
    return Counter(gram for key in keys for gram in grams(key))


class NearIndex:
    """Finds, for a key, those added before whose similarity is at least a threshold."""

    def __init__(self, counts: Mapping[str, int], threshold: float) -> None:
        """Make an index without keys.

        Args:
            counts: How common each 5-gram is, of `count_grams`; it changes the speed only.
            threshold: Least similarity, above 0 and up to 1.
        """
        self._threshold = threshold
        self._counts = counts
        self._keys: list[str] = []
        self._sizes: list[int] = []
        self._postings: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, key: str) -> None:
        """Add a key; keys are numbered in the order in which they are added, from 0."""
        found = grams(key)
        for gram in self._rarest(found):
            self._postings[gram].append(len(self._keys))
        self._keys.append(key)
        self._sizes.append(len(found))

    def find(self, key: str) -> Iterator[int]:
        """Yield the numbers of the keys that are near, in ascending order."""
        found = grams(key)
        least = self._threshold * len(found) - _ROUNDING
        most = len(found) / self._threshold + _ROUNDING
        candidates = {
            number
            for gram in self._rarest(found)
            for number in self._postings.get(gram, ())
            if least <= self._sizes[number] <= most
        }
        for number in sorted(candidates):
            if _jaccard(found, grams(self._keys[number])) >= self._threshold:
                yield number

    def _rarest(self, found: frozenset[str]) -> list[str]:
        """Return those grams of which any near set must have one among its own rarest, too."""
        needed = math.ceil(self._threshold * len(found) - _ROUNDING)
        ordered = sorted(found, key=lambda gram: (self._counts.get(gram, 0), gram))
        return ordered[: len(found) - needed + 1]


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
