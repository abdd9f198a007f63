"""Evaluation sets on which scores of others are published."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedScores:
    """What somebody reports of a system on an evaluation set.

    Attributes:
        rows: Rows that were scored.
        source: Who reports it.
        scores: Values in percent by direction and by the name that the score has here.
    """

    rows: int
    source: str
    scores: Mapping[str, Mapping[str, float]]


PUBLISHED = {
    "flores_asl_dev": PublishedScores(
        rows=979,
        source="model card of manohonsy/asl-mbart-50-lora",
        scores={
            "into_gloss": {"chrF": 28.02, "BLEU": 3.03, "ROUGE-L": 25.72, "token-F1": 31.88},
            "into_english": {"chrF": 39.26, "BLEU": 6.91, "ROUGE-L": 30.94, "token-F1": 36.88},
        },
    )
}
"""By the name of the set: the split `dev` of facebook/2M-Flores-ASL, 999 rows, without 20 that the
teacher of the model was shown."""
