"""Which rows are left out by their ids, and which split each of the others is in."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from aslbatch.corpora.row import Dropped, DropReason, Row, Sorted
from aslbatch.errors import SourceError
from aslbatch.provenance.hashing import source_hash
from aslbatch.text.sentence_key import sentence_key

_SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+")
_HASH_DIGITS = 13


def drop_few_shot(rows: Sequence[Row], ids: Collection[str], *, place: str) -> Sorted:
    """Drop the examples that a teacher was shown: every row with one of some ids.

    Args:
        rows: Of one data set, all that could be read.
        ids: Those of the examples.
        place: The key that they are from, for messages.

    Raises:
        SourceError: No row has one of the ids: then it has another form, and nothing would be left
            out.
    """
    if missing := sorted(set(ids) - {row.id for row in rows}):
        example = f"ids there are like {rows[0].id!r}" if rows else "there are no rows"
        raise SourceError(
            f"{place}: {len(missing)} of {len(set(ids))} ids are in no row, such as "
            f"{missing[0]!r}; {example}; correct the ids, or leave out those that are gone"
        )
    kept = [row for row in rows if row.id not in ids]
    detail = f"its id is in {place}"
    return Sorted(
        kept, [Dropped(row, DropReason.FEW_SHOT, detail) for row in rows if row.id in ids]
    )


def assign_splits(rows: Iterable[Row], shares: Mapping[str, float]) -> list[Row]:
    """Put each row into a split by the hash of its sentence, so that no sentence is in two.

    Args:
        rows: With clean texts.
        shares: Split names and their shares, which add up to 1, in the order in which they divide
            the hashes.
    """
    bounds = list(zip(shares, accumulate(shares.values()), strict=True))
    last = bounds[-1][0]

    def split_of(row: Row) -> str:
        digits = source_hash(sentence_key(row.source))[:_HASH_DIGITS]
        point = int(digits, 16) / 16**_HASH_DIGITS
        return next((name for name, bound in bounds if point < bound), last)

    return [replace(row, split=split_of(row)) for row in rows]


def check_splits(rows: Iterable[Row]) -> None:
    """Check the splits that a column names, which become names of files.

    Raises:
        SourceError: A row has none, or one that is no plain name.
    """
    for row in rows:
        if row.split is None or not _SPLIT_NAME.fullmatch(row.split):
            raise SourceError(
                f"{row}: its split is {row.split!r}, expected letters, digits and underscores; "
                "correct the column, or state one split for all rows"
            )
