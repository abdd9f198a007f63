"""Batches of similar length within a budget of padded tokens."""

from collections.abc import Sequence


def make_batches(
    lengths: Sequence[int], max_tokens: int, *, equal_lengths: bool = False
) -> list[list[int]]:
    """Group sentences so that little is spent on padding.

    Sentences are sorted by length, longest first, so that memory runs out in the first batch or
    not at all; the order of equals is kept, so that the result is a function of its arguments.

    Args:
        lengths: Tokens of each sentence.
        max_tokens: Most tokens of a batch, padding included: sentences times the longest of
            them. A sentence that is longer alone makes a batch of its own.
        equal_lengths: Whether a batch holds sentences of one length only, so that there is no
            padding at all.

    Returns:
        Indexes into `lengths`; each appears exactly once.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches: list[list[int]] = []
    longest = 0
    for index in order:
        length = max(lengths[index], 1)
        fits = bool(batches) and (len(batches[-1]) + 1) * longest <= max_tokens
        if fits and not (equal_lengths and length != longest):
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = length
    return batches
