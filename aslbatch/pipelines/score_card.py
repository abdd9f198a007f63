"""The scores of a direction, and as a section of a model card."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from aslbatch.evaluation.scores import Score

_TITLES = {"into_gloss": "English to gloss", "into_english": "Gloss to English"}


@dataclass(frozen=True, slots=True)
class DirectionScores:
    """What one direction came to.

    Attributes:
        direction: `into_gloss` or `into_english`.
        rows: Rows scored.
        excluded: Rows left out by their ids.
        incomplete: Rows left out since their English or their gloss is missing.
        rejected: Rows scored as empty translations.
        provenance: Model, engine and decoding, as the rows carry them.
        system: Scores of the model.
        copy: Scores of a copy of the input.
    """

    direction: Literal["into_gloss", "into_english"]
    rows: int
    excluded: int
    incomplete: int
    rejected: int
    provenance: dict[str, str]
    system: dict[str, Score]
    copy: dict[str, Score]


def score_card(found: Sequence[DirectionScores]) -> str:
    """Return tables of all scores, with what one needs to judge them and to compute them again."""
    return "\n".join(["## Evaluation", "", *(line for each in found for line in _section(each))])


def _section(found: DirectionScores) -> Iterable[str]:
    yield f"### {_TITLES[found.direction]}"
    yield ""
    yield (
        f"{found.rows:,} rows; {found.excluded:,} left out by id, {found.incomplete:,} that lack "
        f"English or gloss; {found.rejected:,} that could not be translated count as empty."
    )
    yield ""
    yield "| score | model | 95 % interval | copy of the input |"
    yield "|---|---:|---:|---:|"
    for name, score in found.system.items():
        copied = found.copy.get(name)
        baseline = "" if copied is None else f"{copied.value:.1f}"
        yield f"| {name} | {score.value:.1f} | {interval(score)} | {baseline} |"
    yield ""
    provenance = ", ".join(f"{name} `{value}`" for name, value in found.provenance.items() if value)
    yield f"Translated with {provenance}."
    yield ""
    signatures = dict.fromkeys(score.signature for score in found.system.values())
    yield "Signatures: " + "; ".join(f"`{signature}`" for signature in signatures) + "."
    yield ""


def interval(score: Score) -> str:
    """Return the interval as text."""
    return f"{score.low:.1f} to {score.high:.1f}"
