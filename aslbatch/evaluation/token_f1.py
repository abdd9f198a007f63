"""Token-F1: how many tokens a hypothesis shares with its reference, whatever their order.

The measure of the asl-mbart-50 model card (https://huggingface.co/manohonsy/asl-mbart-50-lora):
per row twice the multiset overlap over the summed lengths, case-folded, averaged over rows.
"""

from collections import Counter
from collections.abc import Sequence


def token_f1(hypothesis: str, reference: str) -> float:
    """Return the token-F1 of one row, between 0 and 1; two empty rows count as 1."""
    ours = Counter(hypothesis.casefold().split())
    theirs = Counter(reference.casefold().split())
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else 1.0


def check_rows(needs: str, hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Check that there are rows, and a reference for each.

    Args:
        needs: Who needs them, as the message begins.
        hypotheses: Translations.
        references: What they should be.

    Raises:
        ValueError: The two differ in length, or are empty.
    """
    if len(hypotheses) != len(references) or not hypotheses:
        raise ValueError(
            f"{needs} as many hypotheses as references, and at least one; "
            f"got {len(hypotheses)} and {len(references)}"
        )


def corpus_token_f1(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Return the mean token-F1 over rows, times 100.

    Raises:
        ValueError: The two differ in length, or are empty.
    """
    check_rows("token-F1 needs", hypotheses, references)
    rows = zip(hypotheses, references, strict=True)
    return 100 * sum(token_f1(ours, theirs) for ours, theirs in rows) / len(hypotheses)
