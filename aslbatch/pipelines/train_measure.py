"""Scores of a model in training, and what follows from them: which state is best, when to stop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sacrebleu.metrics.chrf import CHRF

from aslbatch.evaluation.token_f1 import corpus_token_f1


def _chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    return float(CHRF().corpus_score(list(hypotheses), [list(references)]).score)


_SCORES: dict[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "chrf": _chrf,
    "token_f1": corpus_token_f1,
}


@dataclass(slots=True)
class Measurements:
    """What was measured so far.

    Attributes:
        score: Which score decides.
        patience: Measurements without a new best after which to stop, None for never.
        made: Of each measurement: `step`, a score for each target language, and their `mean`.
    """

    score: Literal["chrf", "token_f1"]
    patience: int | None
    made: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, step: int, found: Mapping[str, tuple[Sequence[str], Sequence[str]]]
    ) -> dict[str, float]:
        """Score translations, given with their references for each direction's name."""
        scores = {name: _SCORES[self.score](*texts) for name, texts in found.items()}
        scores["mean"] = sum(scores.values()) / len(scores)
        self.made.append({"step": step, **scores})
        return scores

    @property
    def best(self) -> dict[str, Any] | None:
        """The measurement with the highest mean, the first of those that are equal."""
        return max(self.made, key=lambda each: each["mean"], default=None)

    def ranked(self) -> list[dict[str, Any]]:
        """Return the measurements from the best on; of equal ones the first comes first."""
        return sorted(self.made, key=lambda each: -each["mean"])

    @property
    def is_over(self) -> bool:
        """Whether there was no new best for so long that it is time to stop."""
        if self.best is None or self.patience is None:
            return False
        return len(self.made) - 1 - self.made.index(self.best) >= self.patience
