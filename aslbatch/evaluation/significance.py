"""Whether two systems differ: paired bootstrap resampling of the rows that both translated.

Koehn 2004, https://aclanthology.org/W04-3250. Both systems are scored on the same samples of rows,
so that what makes a sample hard for both does not count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aslbatch.evaluation.bootstrap import interval
from aslbatch.evaluation.scores import Score

_ROUNDING = 1e-9
"""So that samples which are just as extreme count, however their sums were rounded."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a score of one system differs from that of another, in percent points.

    Attributes:
        value: Ours minus theirs, over all rows.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p: Two-sided p value: with `d` the difference and `d_i` those of the n samples,
            (1 + how many |d_i - d| >= |d|) / (n + 1). It is 1 where the systems are equal.
        p_sacrebleu: The p value of sacreBLEU's `PairedTest`, to stand beside published ones:
            (1 + how many |d_i| - mean of all |d_i| > |d|) / (n + 1). Where systems differ it has
            one tail, so that it falls below 0.05 for one pair of equally good systems in ten.
    """

    value: float
    low: float
    high: float
    p: float
    p_sacrebleu: float


def compare(ours: Score, theirs: Score) -> Difference:
    """Compare two scores of the same measure, on the same rows in the same order.

    Raises:
        ValueError: They are of other measures or samples, as their signatures tell.
    """
    if ours.signature != theirs.signature:
        raise ValueError(f"a score of {ours.signature} has no difference to {theirs.signature}")
    value = ours.value - theirs.value
    drawn = ours.samples - theirs.samples
    drawn = drawn[~np.isnan(drawn)]
    distances = np.abs(drawn)
    return Difference(
        value,
        *interval(drawn),
        p=_share(np.abs(drawn - value) >= abs(value) - _ROUNDING),
        p_sacrebleu=_share(distances - distances.mean() > abs(value)),
    )


def _share(extreme: NDArray[np.bool_]) -> float:
    """Return the share of samples that are as extreme, the one that was observed counted in."""
    return (int(extreme.sum()) + 1) / (len(extreme) + 1)
