"""Sentences of an evaluation split that stand in a split below it, in whatever data set."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aslbatch.corpora.near import NearIndex, count_grams, similarity
from aslbatch.corpora.row import Dropped, DropReason, Row, Sorted
from aslbatch.errors import IncompleteRunError
from aslbatch.text.sentence_key import sentence_key


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that must not occur in rows of a higher rank.

    Attributes:
        rank: 0 for the first protected split, and so on; then excluded sentences.
        key: Of `sentence_key`.
        text: The sentence.
        place: Where it is, for the detail of a row that is dropped.
    """

    rank: int
    key: str
    text: str
    place: str


def protected_sentences(
    rows: Iterable[Row], protect: Sequence[str], excluded: Iterable[tuple[str, str]]
) -> list[Sentence]:
    """Return what must not leak, those of the first split first.

    Args:
        rows: With clean texts; duplicates of the protected splits are protected as well.
        protect: Splits, the one with precedence first.
        excluded: Clean sentences that no split which is not protected may have, and their places.
    """
    ranks = {split: rank for rank, split in enumerate(protect)}
    found = [
        Sentence(ranks[row.split], sentence_key(row.source), row.source, f"{row} ({row.split})")
        for row in rows
        if row.split in ranks
    ]
    found.sort(key=lambda sentence: sentence.rank)
    last = len(protect)
    found += [
        Sentence(last, sentence_key(text), text, f"{place} (excluded)") for text, place in excluded
    ]
    return found


def drop_leaked(
    rows: Sequence[Row],
    sentences: Sequence[Sentence],
    protect: Sequence[str],
    *,
    threshold: float | None,
) -> Sorted:
    """Drop rows whose sentence is protected in a split above theirs, or is near such a one.

    Args:
        rows: With clean texts.
        sentences: What must not leak, from `protected_sentences`.
        protect: Splits, the one with precedence first; all others are below them.
        threshold: Least similarity of a near one, as `near_duplicate` has it; None for equal ones
            alone.
    """
    ranks = {split: rank for rank, split in enumerate(protect)}
    exact: dict[str, Sentence] = {}
    for sentence in sentences:
        exact.setdefault(sentence.key, sentence)
    near = _near_index(sentences, threshold) if threshold is not None else None
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for row in rows:
        rank = ranks.get(row.split or "", len(protect) + 1)
        key = sentence_key(row.source)
        same = exact.get(key)
        if same and same.rank < rank:
            dropped.append(Dropped(row, DropReason.LEAKED, f"also {same.place}: {same.text}"))
            continue
        # Numbers ascend with ranks, so that the first one found tells.
        first = next(near.find(key), None) if near and rank > 0 else None
        if first is not None and sentences[first].rank < rank:
            value = similarity(key, sentences[first].key)
            detail = f"{value:.2f} like {sentences[first].place}: {sentences[first].text}"
            dropped.append(Dropped(row, DropReason.NEAR_LEAKED, detail))
        else:
            kept.append(row)
    return Sorted(kept, dropped)


def check_apart(rows: Iterable[Row], sentences: Iterable[Sentence], protect: Sequence[str]) -> None:
    """Check, by other means than those by which rows were dropped, that nothing leaks.

    Raises:
        IncompleteRunError: A protected sentence is in a split below its own; a fault of ours.
    """
    held: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        held[row.split or ""].add(sentence_key(row.source))
    by_rank: defaultdict[int, set[str]] = defaultdict(set)
    for sentence in sentences:
        by_rank[sentence.rank].add(sentence.key)
    for split, keys in held.items():
        own = protect.index(split) if split in protect else len(protect) + 1
        for rank in range(own):
            if shared := by_rank[rank] & keys:
                raise IncompleteRunError(
                    f"{len(shared)} sentences of {split} are protected above it, such as "
                    f"{min(shared)!r}; nothing was written, please report it"
                )


def _near_index(sentences: Sequence[Sentence], threshold: float) -> NearIndex:
    index = NearIndex(count_grams(sentence.key for sentence in sentences), threshold)
    for sentence in sentences:
        index.add(sentence.key)
    return index
