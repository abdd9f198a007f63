"""Scores as rows of text, for a terminal and for a card."""

from collections.abc import Iterable, Mapping
from typing import Any

from aslbatch.evaluation.scores import Score


def score_table(
    name: str,
    scores: Mapping[str, Score],
    copy: Mapping[str, Score] | None = None,
    published: Mapping[str, float] | None = None,
) -> list[list[str]]:
    """Return scores as text: the names of columns, then a row for each score.

    Args:
        name: Whose scores they are.
        scores: By their names.
        copy: Those of a copy of the input, all of the same names, where there is such a baseline.
        published: Values that somebody reports, by names of scores; no column where there are none.
    """
    baseline = [] if copy is None else ["copy of the input"]
    rows = [["score", name, "95 % interval", *baseline, *(["published"] if published else [])]]
    for each, score in scores.items():
        row = [
            counted_name(each, score),
            f"{score.value:.1f}",
            f"{score.low:.1f} to {score.high:.1f}",
        ]
        if copy is not None:
            row.append(f"{copy[each].value:.1f}")
        if published:
            row.append(f"{published[each]:.2f}" if each in published else "")
        rows.append(row)
    return rows


def counted_name(name: str, score: Score) -> str:
    """Return the name of a score, with the number of signs that it is a share of, if any."""
    return name if score.count is None else f"{name} of {score.count:,}"


def without_samples(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of a dataclass but for single samples of scores, as JSON can hold them."""
    return {name: value for name, value in fields if name != "samples"}


def markdown_table(rows: list[list[str]]) -> Iterable[str]:
    """Yield the lines of a table in Markdown, and an empty one; the first row is its head."""
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    yield from (f"| {' | '.join(cells)} |" for cells in body)
    yield ""


def signature_list(scores: Mapping[str, Score]) -> Iterable[str]:
    """Yield lines of Markdown that say how scores were computed."""
    yield "* signatures:"
    signatures = dict.fromkeys(score.signature for score in scores.values())
    for signature in signatures:
        names = [name for name, score in scores.items() if score.signature == signature]
        yield f"  * {', '.join(names)}: `{signature}`"
