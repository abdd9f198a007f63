"""Rows that say the same as an earlier one of their split."""

from collections.abc import Iterable, Sequence

from aslbatch.corpora.near import NearIndex, count_grams, similarity
from aslbatch.corpora.row import Dropped, DropReason, Row, Sorted
from aslbatch.text.sentence_key import sentence_key


def drop_duplicates(rows: Iterable[Row], *, across_datasets: bool) -> Sorted:
    """Keep the first of the rows of a split that have both texts in common.

    Rows without gloss are the same where their English is; a row with a gloss is another one.

    Args:
        rows: With clean texts, in the order in which the first is kept.
        across_datasets: Compare rows of different data sets too.
    """
    firsts: dict[tuple[str | None, ...], Row] = {}
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for row in rows:
        group = None if across_datasets else row.dataset
        first = firsts.setdefault((row.split, group, row.source, row.target), row)
        if first is row:
            kept.append(row)
        else:
            dropped.append(Dropped(row, DropReason.DUPLICATE, f"the same as {first}"))
    return Sorted(kept, dropped)


def drop_near_duplicates(rows: Sequence[Row], threshold: float, *, across_datasets: bool) -> Sorted:
    """Keep the first of the rows of a split whose texts are nearly the same, both of them.

    A sentence that has two glosses which differ keeps both.

    Args:
        rows: With clean texts, in the order in which the first is kept.
        threshold: Least Jaccard index of their character 5-grams, without case and punctuation.
        across_datasets: Compare rows of different data sets too.
    """
    keys = [sentence_key(row.source) for row in rows]
    targets = [None if row.target is None else sentence_key(row.target) for row in rows]
    counts = count_grams(keys)
    indexes: dict[tuple[str | None, str | None], tuple[NearIndex, list[int]]] = {}
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for number, row in enumerate(rows):
        group = (row.split, None if across_datasets else row.dataset)
        if group not in indexes:
            indexes[group] = (NearIndex(counts, threshold), [])
        index, members = indexes[group]
        for found in index.find(keys[number]):
            first = members[found]
            if _is_near(targets[number], targets[first], threshold):
                value = similarity(keys[number], keys[first])
                detail = f"{value:.2f} like {rows[first]}: {rows[first].source}"
                dropped.append(Dropped(row, DropReason.NEAR_DUPLICATE, detail))
                break
        else:
            index.add(keys[number])
            members.append(number)
            kept.append(row)
    return Sorted(kept, dropped)


def _is_near(one: str | None, other: str | None, threshold: float) -> bool:
    if one is None or other is None:
        return one is other
    return similarity(one, other) >= threshold
