"""Confidence intervals by resampling rows with replacement.

Koehn 2004, https://aclanthology.org/W04-3250, for translation. One seed decides the samples, so
that a score computed twice has the same interval.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLES = 1_000
SEED = 12_345
_TAIL = 2.5


class Interval(NamedTuple):
    """A value over all rows, and the 95 % interval of it over samples of them."""

    value: float
    low: float
    high: float


def ratio_interval(
    parts: Sequence[float], wholes: Sequence[float], *, samples: int = SAMPLES
) -> Interval | None:
    """Return sum of parts over sum of wholes, times 100, rows resampled together.

    Args:
        parts: Of each row; with wholes of 1 the result is their mean.
        wholes: Of each row.
        samples: How many times rows are drawn.

    Returns:
        None where all wholes are 0. Samples whose wholes are all 0 are left out.
    """
    numbers = np.array([parts, wholes], dtype=np.float64).T
    part, whole = numbers.sum(axis=0)
    if not whole:
        return None
    ratios = [100 * p / w for p, w in resampled_sums(numbers, samples) if w]
    return interval_of(100 * part / whole, ratios)


def interval_of(value: float, samples: Sequence[float]) -> Interval:
    """Return a value with the interval that 95 % of its samples lie in."""
    low, high = np.percentile(samples, [_TAIL, 100 - _TAIL])
    return Interval(float(value), float(low), float(high))


def mean_interval(values: Sequence[float], *, samples: int = SAMPLES) -> Interval:
    """Return the mean of rows, times 100, rows resampled.

    Raises:
        ValueError: There are no rows.
    """
    found = ratio_interval(values, [1.0] * len(values), samples=samples)
    if found is None:
        raise ValueError("a mean needs at least one row")
    return found


def resampled_sums(
    numbers: NDArray[np.float64], samples: int = SAMPLES
) -> Iterator[NDArray[np.float64]]:
    """Yield sums of rows that are drawn with replacement, as many as there are.

    Args:
        numbers: [rows, columns].
        samples: How many times all rows are drawn.
    """
    generator = np.random.default_rng(SEED)
    for _ in range(samples):
        # As weights: a product is faster than to copy rows.
        drawn = generator.integers(0, len(numbers), len(numbers))
        yield np.bincount(drawn, minlength=len(numbers)) @ numbers
