"""The scores of a direction, and as a section of a model card."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from aslbatch.config.score import Direction
from aslbatch.evaluation.scores import Score
from aslbatch.evaluation.significance import Difference
from aslbatch.pipelines.score_tables import (
    counted_name,
    markdown_table,
    score_table,
    signature_list,
    without_samples,
)
from aslbatch.pipelines.system import PROVENANCE

SCORES, SCORE_CARD = "scores.json", "scores.md"
"""What a score job publishes: all numbers, and a section for a model card."""
TITLES = {"into_gloss": "English to gloss", "into_english": "Gloss to English"}
P_NOTE = (
    "difference: model minus other, in points; p: how often chance alone would make one as large "
    "(two-sided, paired bootstrap)"
)


@dataclass(frozen=True, slots=True)
class OtherScores:
    """What another system came to on the same rows.

    Attributes:
        uri: Folder of its translations.
        same: Rows with the same translation as the model's.
        rejected: Rows scored as empty translations.
        provenance: Model, engine, decoding and run: every value that rows carry.
        scores: Its scores.
        differences: For each score, how far the model is above this system.
    """

    uri: str
    same: int
    rejected: int
    provenance: dict[str, list[str]]
    scores: dict[str, Score]
    differences: dict[str, Difference]


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
        published: Values that somebody reports of this set, by the names of scores.
        published_by: Who reports them.
        other: Another system beside the model, if one was named.
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
    published: dict[str, float] = field(default_factory=dict)
    published_by: str | None = None
    other: OtherScores | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the single samples, as JSON can hold it."""
        return asdict(self, dict_factory=without_samples)

    def table(self) -> list[list[str]]:
        """Return the scores as text: the names of columns, then a row for each score."""
        return score_table("model", self.system, self.copy, self.published)

    def comparison(self) -> list[list[str]]:
        """Return the differences to the other system, as `table`; nothing where there is none."""
        if self.other is None:
            return []
        rows = [["score", "model", "other", "difference", "95 % interval", "p"]]
        for name, found in self.other.differences.items():
            score, other = self.system[name], self.other.scores[name]
            rows.append(
                [
                    counted_name(name, score),
                    f"{score.value:.2f}",
                    f"{other.value:.2f}",
                    _signed(found.value),
                    f"{_signed(found.low)} to {_signed(found.high)}",
                    f"{found.p:.3f}",
                ]
            )
        return rows

    def what_differs(self) -> list[str]:
        """Return in what the other system differs, a line each, and how much comes out the same."""
        if self.other is None:
            return []
        both = {name: (self.provenance[name], self.other.provenance[name]) for name in PROVENANCE}
        lines = [
            f"{name}: {_listed(ours)}, other: {_listed(theirs)}"
            for name, (ours, theirs) in both.items()
            if ours != theirs
        ]
        return [*lines, f"same translation: {self.other.same:,} of {self.rows:,} rows"]


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"


def _signed(points: float) -> str:
    text = f"{points:+.2f}"
    return text[1:] if float(text) == 0 else text  # no side is better by nothing


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
    yield from markdown_table(found.table())
    if found.published_by:
        yield f"Published: as reported by the {found.published_by}, without intervals."
        yield ""
    yield from _provenance(found.provenance)
    yield from signature_list(found.system)
    yield ""
    if found.other is not None:
        yield from _against(found, found.other)


def _against(found: DirectionScores, other: OtherScores) -> Iterable[str]:
    yield f"#### {TITLES[found.direction]}, against `{other.uri}`"
    yield ""
    yield (
        f"The same rows translated by another system; {other.rejected:,} that it could not "
        f"translate count as empty."
    )
    yield ""
    yield from markdown_table(found.comparison())
    yield f"{P_NOTE[0].upper()}{P_NOTE[1:]}."
    yield ""
    yield from (f"* {line}" for line in found.what_differs())
    yield ""


def _provenance(provenance: Mapping[str, list[str]]) -> Iterable[str]:
    for name, values in provenance.items():
        yield f"* {name}: {', '.join(f'`{value}`' for value in values) or 'none'}"
