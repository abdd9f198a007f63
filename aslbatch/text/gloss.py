"""Tokens of ASL gloss: their classes, and a form in which conventions can be compared.

Gloss has no spelling that all agree on. The same fingerspelled name is `#JOHN`, `fs-JOHN` or
`J-O-H-N`; a point is `IX`, `IX-1p` or `IX-he`. The normalized form keeps what is signed and drops
how a corpus marks it. The forms are those of the ASLLRP and How2Sign conventions, 2M-Flores-ASL and
ASLG-PC12.
"""

import re
import unicodedata
from enum import Enum

NORMALIZER_VERSION = "gloss-norm:1"
"""Goes up with any change of `normalized_gloss`; scores of two versions cannot be compared."""


class SignClass(Enum):
    """Classes of signs whose recall is reported apart: teachers and models slight them."""

    FINGERSPELLED = "FS"
    POINTING = "IX"
    CLASSIFIER = "CL"
    NUMBER = "NUM"


_COMMENT = re.compile(r"(?<!\S)(?:\((?!\d?h\))[^()]*\)|\^?\[[^\[\]]*\]|<[^<>]*>)(?!\S)")
_CLASSIFIER_SPACE = re.compile(r"\b([ISBLD]?CL(?:-[A-Z])?):\s+(?=\S)", re.IGNORECASE)
_SPAN_MARKS = re.compile(r"//|\\\\")
_REPEATED = re.compile(r"\++$")
_EMPHASIS = re.compile(r"^!+|[!?.,;]+$")
_HANDS = re.compile(r"^\(\d?H\)")
_LOCUS = re.compile(r"(?<=\w):[A-Z]$")
_SPELLED = re.compile(r"^(?:FS[-:]|#)(?=\w)")
_LETTERS = re.compile(r"^[A-Z](?:-[A-Z])+$")
_POINT = re.compile(r"^(?:THUMB-)?IX(?:[-:]\S*)?$|^PRO\.\d$")
_POSSESSIVE = re.compile(r"^POSS[-.]\S+$")
_CLASSIFIER = re.compile(r"^[ISBLD]?CL(?:-[A-Z])?[:(]")
_NUMBER = re.compile(r"^[#£$€]?\d[\d.,:/%]*$")


def normalized_gloss(gloss: str) -> str:
    """Return a gloss in capitals with marks of one convention, its tokens separated by a space.

    Comments and non-manual markers in brackets, marks of spans, emphasis and repetition, loci and
    hands are dropped; `fs-JOHN` and `J-O-H-N` become `#JOHN`; `IX-1p`, `PRO.1` and the like become
    `IX`, `POSS-3p:i` becomes `POSS`; `cl: two+cars` becomes `CL:TWO+CARS`.
    """
    before, text = None, unicodedata.normalize("NFKC", gloss)
    while text != before:  # what one mark hides may be another
        before, text = text, _without_marks(text)
    return text


def _without_marks(text: str) -> str:
    text = _SPAN_MARKS.sub(" ", _COMMENT.sub(" ", text))
    text = _CLASSIFIER_SPACE.sub(r"\1:", text)
    tokens = (_normalized_token(token) for token in text.upper().split())
    return " ".join(token for token in tokens if token)


def _normalized_token(token: str) -> str:
    token = _EMPHASIS.sub("", _REPEATED.sub("", _EMPHASIS.sub("", _HANDS.sub("", token))))
    if _CLASSIFIER.match(token):
        return token
    token = _LOCUS.sub("", token)
    if _POINT.match(token):
        return "IX"
    if _POSSESSIVE.match(token):
        return "POSS"
    if _LETTERS.match(token):
        return "#" + token.replace("-", "")
    return _SPELLED.sub("#", token)


def sign_class(token: str) -> SignClass | None:
    """Return the class of a token of a normalized gloss; None for the other signs."""
    if _CLASSIFIER.match(token):
        return SignClass.CLASSIFIER
    if token == "IX":
        return SignClass.POINTING
    if _NUMBER.match(token):
        return SignClass.NUMBER
    return SignClass.FINGERSPELLED if token.startswith("#") else None
