"""When two English sentences count as the same: a key without case, punctuation and white space."""

import re
import unicodedata

_NOT_WORDS = re.compile(r"[\W_]+")
_SPACE = re.compile(r"\s+")


def sentence_key(text: str) -> str:
    """Return what is left of a sentence when case, punctuation and white space do not count.

    Letters are compatibility-normalized and case-folded (Unicode's NFKC and full case folding), so
    that "It's 5 o'clock!" and "ITS 5 OCLOCK" have one key. A text without letters and digits has
    itself for a key.
    """
    # Folding can undo what NFKC composed, so it is composed again.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _NOT_WORDS.sub("", folded) or _SPACE.sub("", folded)
