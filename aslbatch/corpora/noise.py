"""Glosses that may belong to another sentence: those that repeat, and those that are shifted."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from aslbatch.corpora.row import Dropped, DropReason, Row, Sorted
from aslbatch.text.gloss import normalized_gloss
from aslbatch.text.sentence_key import sentence_key

REPEATED_GLOSS = "repeated_gloss"
SHIFTED_GLOSS = "shifted_gloss"
FLAGS = (REPEATED_GLOSS, SHIFTED_GLOSS)

_WORD = re.compile(r"[^\W_]{3,}")
_STEM_CHARACTERS = 4
_FEWEST_STEMS = 3
_NEIGHBORS = 3
_MOST_OWN = 0.2
_LEAST_NEIGHBOR = 0.4


def flag_noise(rows: Sequence[Row]) -> list[Row]:
    """Flag glosses of one data set that may be another sentence's.

    `repeated_gloss` has the same normalized gloss as a row with another sentence. `shifted_gloss`
    shares at most a fifth of its words with its own sentence, and at least two fifths with that of
    a row up to three before or after. Words are compared by their first four letters, since a gloss
    has no inflection; one of fewer than three words is not judged.

    Args:
        rows: With clean texts, in the order of their files.
    """
    keys = [sentence_key(row.source) for row in rows]
    glosses = [normalized_gloss(row.target or "") for row in rows]
    sentences: defaultdict[str, set[str]] = defaultdict(set)
    for gloss, key in zip(glosses, keys, strict=True):
        sentences[gloss].add(key)
    words = [_stems(row.source) for row in rows]
    flagged = []
    for number, row in enumerate(rows):
        flags = list(row.flags)
        if glosses[number] and len(sentences[glosses[number]]) > 1:
            flags.append(REPEATED_GLOSS)
        near = range(max(number - _NEIGHBORS, 0), min(number + _NEIGHBORS + 1, len(rows)))
        others = [
            words[other]
            for other in near
            if keys[other] != keys[number] and rows[other].source_uri == row.source_uri
        ]
        if _is_shifted(_stems(glosses[number]), words[number], others):
            flags.append(SHIFTED_GLOSS)
        flagged.append(replace(row, flags=tuple(flags)) if len(flags) > len(row.flags) else row)
    return flagged


def drop_flagged(rows: Iterable[Row], unwanted: Collection[str]) -> Sorted:
    """Drop rows that have one of some flags."""
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for row in rows:
        found = [flag for flag in row.flags if flag in unwanted]
        if found:
            dropped.append(Dropped(row, DropReason.FLAGGED, ", ".join(found)))
        else:
            kept.append(row)
    return Sorted(kept, dropped)


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM_CHARACTERS] for word in _WORD.findall(text.casefold()))


def _is_shifted(
    gloss: frozenset[str], sentence: frozenset[str], others: Iterable[frozenset[str]]
) -> bool:
    if len(gloss) < _FEWEST_STEMS or len(gloss & sentence) > _MOST_OWN * len(gloss):
        return False
    best = max((len(gloss & other) for other in others), default=0)
    return best >= _LEAST_NEIGHBOR * len(gloss)
