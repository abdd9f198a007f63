"""The scores of a direction, and as a section of a model card."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aslbatch.config.score import Direction
from aslbatch.evaluation.scores import Score

PROVENANCE = ("model", "model_revision", "model_sha256", "engine", "decoding", "run_id")
TITLES = {"into_gloss": "English to gloss", "into_english": "Gloss to English"}


@dataclass(frozen=True, slots=True)
class DirectionScores:
    """What one direction came to.

    Attributes:
        direction: `into_gloss` or `into_english`.
        sources: URIs of the pairs.
        rows: Rows scored.
        excluded: Rows left out by their ids.
        incomplete: Rows left out since their English or their gloss is missing.
        rejected: Rows scored as empty translations.
        provenance: Model, engine, decoding and run: every value that rows carry.
        system: Scores of the model.
        copy: Scores of a copy of the input.
    """

    direction: Direction
    sources: list[str]
    rows: int
    excluded: int
    incomplete: int
    rejected: int
    provenance: dict[str, list[str]]
    system: dict[str, Score]
    copy: dict[str, Score]

    def table(self) -> Iterable[tuple[str, str, str, str]]:
        """Yield name, value, interval and the baseline's value of each score, as text."""
        for name, score in self.system.items():
            counted = name if score.count is None else f"{name}, {score.count:,} signs"
            copied = f"{self.copy[name].value:.1f}" if name in self.copy else ""
            yield counted, f"{score.value:.1f}", f"{score.low:.1f} to {score.high:.1f}", copied


def score_card(found: Sequence[DirectionScores]) -> str:
    """Return tables of all scores, with what one needs to judge them and to compute them again."""
    return "\n".join(["## Evaluation", "", *(line for each in found for line in _section(each))])


def _section(found: DirectionScores) -> Iterable[str]:
    yield f"### {TITLES[found.direction]}"
    yield ""
    yield (
        f"{found.rows:,} rows of {', '.join(f'`{uri}`' for uri in found.sources)}; "
        f"{found.excluded:,} left out by id, {found.incomplete:,} that lack English or gloss; "
        f"{found.rejected:,} that could not be translated count as empty."
    )
    yield ""
    yield "| score | model | 95 % interval | copy of the input |"
    yield "|---|---:|---:|---:|"
    for cells in found.table():
        yield f"| {' | '.join(cells)} |"
    yield ""
    for name, values in found.provenance.items():
        yield f"* {name}: {', '.join(f'`{value}`' for value in values) or 'none'}"
    yield "* signatures:"
    signatures = dict.fromkeys(score.signature for score in found.system.values())
    yield from (f"  * `{signature}`" for signature in signatures)
    yield ""
