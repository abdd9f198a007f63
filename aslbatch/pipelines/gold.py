"""How good a teacher is: its glosses beside authentic ones, and beside those of another teacher.

Copying English scores high, since gloss shares most of its words with it; so no score of a teacher
stands without that of a copy, on the same rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from aslbatch.evaluation.bootstrap import SAMPLES
from aslbatch.evaluation.copy_baseline import copied, spaced
from aslbatch.evaluation.scores import Score, corpus_scores
from aslbatch.pipelines.score_tables import (
    markdown_table,
    score_table,
    signature_list,
    without_samples,
)

_SYMMETRIC = ("token-F1", "token-F1 normalized", "exact match")
"""Scores that do not change when the two sides do: neither teacher is the reference."""


@dataclass(frozen=True, slots=True)
class GoldScores:
    """What the glosses of a teacher came to.

    Attributes:
        rows: Rows scored.
        failed: Those without a gloss of the teacher, scored as empty.
        teacher: Scores of the teacher.
        copy: Scores of a copy of the input.
    """

    rows: int
    failed: int
    teacher: dict[str, Score]
    copy: dict[str, Score]

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the single samples, as JSON can hold it."""
        return asdict(self, dict_factory=without_samples)

    def table(self) -> list[list[str]]:
        """Return the scores as text: the names of columns, then a row for each score."""
        return score_table("teacher", self.teacher, self.copy)

    def section(self) -> Iterable[str]:
        """Yield a section of a card, line by line."""
        yield "### Against authentic gloss"
        yield ""
        yield f"{self.rows:,} rows; {self.failed:,} that the teacher failed on count as empty."
        yield ""
        yield from markdown_table(self.table())
        yield from signature_list(self.teacher)
        yield ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two teachers agree, whoever is right.

    Attributes:
        rows: Rows that both have glossed.
        scores: Scores of one against the other, the same either way.
    """

    rows: int
    scores: dict[str, Score]

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the single samples, as JSON can hold it."""
        return asdict(self, dict_factory=without_samples)

    def table(self) -> list[list[str]]:
        """Return the scores as text: the names of columns, then a row for each score."""
        return score_table("agreement", self.scores)

    def section(self) -> Iterable[str]:
        """Yield a section of a card, line by line."""
        yield "### Agreement of two teachers"
        yield ""
        yield f"{self.rows:,} rows that both have glossed."
        yield ""
        yield from markdown_table(self.table())
        yield from signature_list(self.scores)
        yield ""


def gold_report(rows: Sequence[tuple[str, str | None, str]], samples: int = SAMPLES) -> GoldScores:
    """Score a teacher against authentic gloss, of rows that it was not shown as examples.

    Args:
        rows: English text, gloss of the teacher (None where it failed), authentic gloss.
        samples: Samples of each interval.

    Raises:
        ValueError: There are no rows.
    """
    scores = partial(
        corpus_scores,
        references=[spaced(authentic) for _, _, authentic in rows],
        gloss=True,
        samples=samples,
    )
    return GoldScores(
        rows=len(rows),
        failed=sum(gloss is None for _, gloss, _ in rows),
        teacher=scores([spaced(gloss) for _, gloss, _ in rows]),
        copy=scores([copied(text, gloss=True) for text, _, _ in rows]),
    )


def agreement(pairs: Sequence[tuple[str, str]], samples: int = SAMPLES) -> Agreement:
    """Compare the glosses that two teachers gave of the same texts.

    Args:
        pairs: The gloss of one and of the other, of each text that both have glossed.
        samples: Samples of each interval.

    Raises:
        ValueError: There are no pairs.
    """
    ours, theirs = ([spaced(pair[side]) for pair in pairs] for side in (0, 1))
    scores = corpus_scores(ours, theirs, gloss=True, samples=samples)
    return Agreement(len(pairs), {name: scores[name] for name in _SYMMETRIC})
