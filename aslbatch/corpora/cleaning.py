"""Clean English and gloss; drop rows that leave nothing to learn from."""

from collections.abc import Iterable
from dataclasses import replace

from aslbatch.corpora.row import Dropped, DropReason, Row, Sorted
from aslbatch.text.normalize import NormalizeRules, examine, normalize


def clean(rows: Iterable[Row], rules: NormalizeRules, *, needs_target: bool) -> Sorted:
    """Clean the English as the translate job does, and collapse white space in glosses.

    Args:
        rows: As they were read.
        rules: What is cleaned in the English.
        needs_target: Drop rows without gloss.

    Returns:
        Rows with clean texts; a gloss of white space alone is none, and has no origin.
    """
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for row in rows:
        source = normalize(row.source, rules)
        target = " ".join((row.target or "").split()) or None
        cleaned = replace(row, source=source, target=target, origin=row.origin if target else None)
        if fault := examine(row.source, source, rules):
            # The text as it was read is what tells why nothing is left.
            raw = replace(cleaned, source=row.source)
            dropped.append(Dropped(raw, fault[0].value, fault[1]))
        elif target is None and needs_target:
            detail = "the gloss is missing" if row.target is None else "the gloss is empty"
            dropped.append(Dropped(cleaned, DropReason.EMPTY_TARGET, detail))
        else:
            kept.append(cleaned)
    return Sorted(kept, dropped)
