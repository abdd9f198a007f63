"""Scores of rows that are drawn with replacement, again and again.

Koehn 2004, https://aclanthology.org/W04-3250, for translation. One seed decides the samples, so
that a score computed twice has the same interval, and that two systems are compared on the same
samples. They are those that sacreBLEU draws, too.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLES = 1_000
SEED = 12_345
_TAIL = 2.5


class Resampled(NamedTuple):
    """A score.

    Attributes:
        value: Over all rows.
        samples: [samples], over each sample of rows; NaN where a sample has nothing to score.
    """

    value: float
    samples: NDArray[np.float64]


def resample(
    numbers: NDArray[np.float64],
    score: Callable[[NDArray[np.float64]], float],
    samples: int = SAMPLES,
) -> Resampled:
    """Return a score of all rows, and of rows drawn with replacement, as many as there are.

    Args:
        numbers: [rows, columns], what is added up over rows.
        score: From the sums, [columns], to the score; NaN where there is nothing to score.
        samples: How many times all rows are drawn.
    """
    drawn = [score(sums) for sums in _resampled_sums(numbers, samples)]
    return Resampled(float(score(numbers.sum(axis=0))), np.array(drawn, dtype=np.float64))


def resampled_ratio(
    parts: Sequence[float], wholes: Sequence[float], samples: int = SAMPLES
) -> Resampled:
    """Return the sum of parts over the sum of wholes, times 100; NaN where all wholes are 0.

    Args:
        parts: Of each row; with wholes of 1 the result is their mean.
        wholes: Of each row.
        samples: How many times all rows are drawn.
    """
    numbers = np.array([parts, wholes], dtype=np.float64).T
    return resample(numbers, _percent, samples)


def resampled_mean(values: Sequence[float], samples: int = SAMPLES) -> Resampled:
    """Return the mean of rows, times 100."""
    return resampled_ratio(values, [1.0] * len(values), samples)


def interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the interval that holds 95 % of samples, those of nothing left out."""
    low, high = np.nanpercentile(samples, [_TAIL, 100 - _TAIL])
    return float(low), float(high)


def _percent(sums: NDArray[np.float64]) -> float:
    part, whole = sums.tolist()
    return 100 * part / whole if whole else math.nan


def _resampled_sums(numbers: NDArray[np.float64], samples: int) -> Iterator[NDArray[np.float64]]:
    generator = np.random.default_rng(SEED)
    for _ in range(samples):
        # As weights: a product is faster than to copy rows.
        drawn = generator.integers(0, len(numbers), len(numbers))
        yield np.bincount(drawn, minlength=len(numbers)) @ numbers
