"""Look at the translations of a shard: flag what is odd, reject what is none."""

import pyarrow as pa

from aslbatch.rejects import rejections, set_column, with_rejections
from aslbatch.schema import RejectReason
from aslbatch.text.loops import most_repeats

REPEATS = "repeats"
LONG = "long"

_LONGEST_PHRASE = 4
_MOST_REPEATS = 3
_MOST_WORDS_A_SOURCE_WORD = 3
_MOST_WORDS_ANYWAY = 8


def validate_rows(table: pa.Table) -> pa.Table:
    """Flag translations that loop or run on; reject those that are empty.

    Flags added: `repeats` (a phrase of up to 4 words more than 3 times in a row) and `long`
    (more than 8 words, and more than 3 words for each source word), the two ways in which a
    decoder degenerates (Holtzman et al. 2020, https://arxiv.org/abs/1904.09751).

    Args:
        table: A translated shard.

    Returns:
        The same rows in the same order.
    """
    found = rejections(table)
    sources, translations = table["source_text"].to_pylist(), table["translation"].to_pylist()
    flags = table["flags"].to_pylist()
    for row, translation in enumerate(translations):
        if found[row] is not None:
            continue
        if not translation:
            found[row] = (
                RejectReason.EMPTY_TRANSLATION,
                f"the model gave no translation of {sources[row]!r}",
            )
        else:
            flags[row] = flags[row] + find_flags(sources[row], translation)
    flagged = pa.array(flags, table.schema.field("flags").type)
    return with_rejections(set_column(table, "flags", flagged), found)


def find_flags(source: str, translation: str) -> list[str]:
    """Return the flags of one translation."""
    words = translation.split()
    flags = []
    if most_repeats(words, _LONGEST_PHRASE) > _MOST_REPEATS:
        flags.append(REPEATS)
    if len(words) > max(_MOST_WORDS_ANYWAY, _MOST_WORDS_A_SOURCE_WORD * len(source.split())):
        flags.append(LONG)
    return flags
