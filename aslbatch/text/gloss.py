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
"""Goes up with any change of this module; scores of two versions cannot be compared."""


class SignClass(Enum):
    """Classes of signs whose recall is reported apart: teachers and models slight them."""

    FINGERSPELLED = "FS"
    POINTING = "IX"
    CLASSIFIER = "CL"
    NUMBER = "NUM"


_CL = r"(?:[ISBLD]|BP|SAS|P)?CL(?:-\w)?"
_MARKER = (
    r"(?:HEAD ?\w*|HN|HS|NEG|NOD\w*|SHAKE\w*|WH-?Q|RH-?Q|Y/?N|T|COND|MULT|\d?H|GAZE\w*|BROW\w*|"
    r"EYE\w*|SMIL\w*|MOUTH\w*|BODY\w*|SHRUG\w*|PAUSE)"
)
_STEPS = (
    # Spans, and non-manual markers that stand alone or are attached to a sign.
    (re.compile(r"//|\\\\"), " "),
    (re.compile(r"\^?\[[^\[\]]*\]"), " "),
    (re.compile(rf"</?{_MARKER}>"), " "),
    (re.compile(rf"\({_MARKER}(?: [^()]*)?\)"), " "),
    # A classifier and its description are one token, however they are written.
    (re.compile(rf"\(({_CL}): ?([^()]*)\)"), lambda m: f"{m[1]}:{'-'.join(m[2].split())}"),
    (re.compile(rf"(?<!\S)({_CL}) ?\(([^()]*)\)"), lambda m: f"{m[1]}:{'-'.join(m[2].split())}"),
    (re.compile(rf"(?<!\S)({_CL}:\w*)\"([^\"]*)\""), lambda m: m[1] + "-".join(m[2].split())),
    (re.compile(rf"(?<!\S)({_CL}):\s+(?=\S)"), r"\1:"),
)
_EMPHASIS = re.compile(r"^!+|[!?.,;]+$")
_REPEATED = re.compile(r"\++$")
_CLASSIFIER = re.compile(rf"^{_CL}:")
_ASLG_PRONOUN = re.compile(r"^X-(?!POSS)[A-Z]+$")
_SPELLED = re.compile(r"^(?:FS[-:]|#)(?=\w)")
_LETTERS = re.compile(r"^\w(?:-\w)+$")
_NAME_SIGN = re.compile(r"^(?:NS-|PN:)(?=\w)")
_POINT = re.compile(r"^(?:THUMB-)?IX(?:[-:=(]\S*)?$|^PRO[.-]\w+$")
_POSSESSIVE = re.compile(r"^(?:X-)?POSS(?:[-.:]\S+)?$")
_LOCUS = re.compile(r"^[IJK]:(?=\w{2})|(?<=\w\w):(?:[A-Z]|\dP)$")
_NUMBER = re.compile(r"^#?[£$€-]?\d[\d.,:/%-]*(?:S|ST|ND|RD|TH|#?C|#?F)?$")
_PARTICLE = re.compile(r"^PART:")


def normalized_gloss(gloss: str) -> str:
    r"""Return a gloss in capitals without the marks of a convention, its tokens a space apart.

    Dropped are marks of spans (`//WHAT\\`), emphasis, repetition (`++`) and loci (`GIVE:j`), square
    brackets, and round or pointed ones that hold a non-manual marker or a hand. `fs-JOHN` and
    `J-O-H-N` become `#JOHN`; `IX-1p`, `IX=he`, `PRO.1` become `IX`; `POSS-3p:i`, `X-POSS` become
    `POSS`; `ns-LINCOLN`, `pn:LINCOLN` become `NS-LINCOLN`; `cl: two+cars` becomes `CL:TWO+CARS`.
    Pronouns of ASLG-PC12 (`X-I`) and directions (`GIVE-HIM`) stay as they are.
    """
    before, text = None, unicodedata.normalize("NFKC", gloss).replace("\N{FRACTION SLASH}", "/")
    while text != before:  # what one mark hides may be another
        before, text = text, _without_marks(text)
    return text


def _without_marks(text: str) -> str:
    text = text.upper()
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    return " ".join(filter(None, map(_normalized_token, text.split())))


def _normalized_token(token: str) -> str:
    token = _EMPHASIS.sub("", _REPEATED.sub("", _EMPHASIS.sub("", token)))
    if _CLASSIFIER.match(token) or _ASLG_PRONOUN.match(token) or _PARTICLE.match(token):
        return token
    if _NAME_SIGN.match(token):
        return _NAME_SIGN.sub("NS-", token)
    if _POINT.match(token):
        return "IX"
    if _POSSESSIVE.match(token):
        return "POSS"
    spelled = _SPELLED.sub("", token)
    if _LETTERS.match(spelled) and not spelled[0].isdigit():
        return "#" + spelled.replace("-", "")
    if spelled != token:
        return "#" + spelled
    return _LOCUS.sub("", token)


def sign_class(token: str) -> SignClass | None:
    """Return the class of a token of a normalized gloss; None for the other signs."""
    if _CLASSIFIER.match(token):
        return SignClass.CLASSIFIER
    if token == "IX":
        return SignClass.POINTING
    if _NUMBER.match(token):
        return SignClass.NUMBER
    return SignClass.FINGERSPELLED if _SPELLED.match(token) else None
