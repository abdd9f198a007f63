"""Confidence intervals by resampling rows with replacement.

Koehn 2004, https://aclanthology.org/W04-3250, for translation. One seed decides the samples, so that a score computed
twice has the same interval.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLES = 1_000
SEED = 12_345
_TAIL = 2.5
_CHUNK = 64


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
    numbers = np.array([parts, wholes], dtype=np.float64)
    part, whole = numbers.sum(axis=1)
    if not whole:
        return None
    ratios = _ratios(numbers, samples)
    low, high = np.percentile(ratios, [_TAIL, 100 - _TAIL])
    return Interval(100 * part / whole, 100 * float(low), 100 * float(high))


def mean_interval(values: Sequence[float], *, samples: int = SAMPLES) -> Interval:
    """Return the mean of rows, times 100, rows resampled.

    Raises:
        ValueError: There are no rows.
    """
    found = ratio_interval(values, [1.0] * len(values), samples=samples)
    if found is None:
        raise ValueError("a mean needs at least one row")
    return found


def _ratios(numbers: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Return the ratio of sums of each sample; some samples at a time, to spare memory."""
    generator = np.random.default_rng(SEED)
    rows = numbers.shape[1]
    ratios = []
    for start in range(0, samples, _CHUNK):
        drawn = generator.integers(0, rows, (min(_CHUNK, samples - start), rows))
        parts, wholes = numbers[:, drawn].sum(axis=2)
        ratios.append(parts[wholes > 0] / wholes[wholes > 0])
    return np.concatenate(ratios)
