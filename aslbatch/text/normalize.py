"""Clean one text before it is translated, and say whether anything is left to translate."""

import functools
import html
import re
import unicodedata
from dataclasses import dataclass, replace
from html.entities import html5

from ftfy import fix_encoding
from ftfy.badness import is_bad

from aslbatch.schema import RejectReason
from aslbatch.text.captions import CAPTION_MARKS, strip_leads, strip_music, strip_sounds

MAX_PASSES = 4
MAX_MARKS = 30

# Quantifiers never overlap what follows them, so that all patterns take linear time.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NESTED_AMPERSAND = re.compile(r"&(?:(?:amp|AMP|#0{0,4}38|#[xX]0{0,4}26);)+")

# A tag has a name alone, or attributes, so that "a <b and c> d" is left as it is.
_TAG_END = r"(?:\s[^<>=]*=[^<>]*|\s*/?)>"
_BREAK = re.compile(rf"\\N|</?(?i:br|p|div|li|tr|td|th){_TAG_END}", re.ASCII)
_MARKUP = re.compile(
    rf"</?[A-Za-z][\w.:-]*{_TAG_END}"
    r"|<(?:v|lang)(?:\.[\w.-]*)?\s[^<>]*>"  # WebVTT voices and languages
    r"|<(?:[0-9]{1,4}:)?[0-9]{2}:[0-9]{2}\.[0-9]{3}>"  # WebVTT time stamps
    r"|<!--[^<>]*-->"
    r"|\{(?:\\(?!p[1-9])[^\\{}]*)*\\p[1-9][^{}]*\}[^{}]*"  # ASS drawings
    r"|\{\\[^{}]*\}",  # ASS overrides
    re.ASCII,
)
_OPENERS = re.compile(r"[<&{\\]")
_CAPTION_MARKS = re.compile(f"[{CAPTION_MARKS}]")
_ALL_OPENERS = re.compile(f"{_OPENERS.pattern}|{_CAPTION_MARKS.pattern}")

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_PUNCTUATION = str.maketrans(
    {**dict.fromkeys("‘’‚‛ʼ´", "'"), **dict.fromkeys("“”„‟", '"'), "…": "..."}  # noqa: RUF001
)
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # C0 and C1 without white space
    "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc]"
)


@dataclass(frozen=True, slots=True)
class NormalizeRules:
    """What is cleaned; white space is always collapsed and stripped.

    Attributes:
        unescape_entities: Turn `&amp;`, `&#39;` and the like into characters.
        fix_mojibake: Repair UTF-8 read as another encoding, as in `cafÃ©`, and Windows-1252 read as
            Latin-1. What may be meant as it stands is left alone.
        strip_markup: Remove HTML and WebVTT tags, time stamps, ASS overrides and drawings.
        fold_punctuation: Make curly quotes and apostrophes straight, an ellipsis three dots.
        strip_control: Remove control, zero-width and direction characters and soft hyphens.
        nfkc: Apply Unicode's compatibility normalization.
        strip_sounds: Remove sound captions such as `[SIGHS]` and `(APPLAUSE)`.
        strip_music: Remove music notes, and the `#` around sung lines.
        strip_speakers: Remove `JOHN:`, `MAN 2:` and `>>` at the beginning of a line.
        strip_dashes: Remove the dash that begins a line of dialogue.
        max_characters: Longest normalized text that is translated.
    """

    unescape_entities: bool = True
    fix_mojibake: bool = True
    strip_markup: bool = True
    fold_punctuation: bool = True
    strip_control: bool = True
    nfkc: bool = True
    strip_sounds: bool = True
    strip_music: bool = True
    strip_speakers: bool = True
    strip_dashes: bool = True
    max_characters: int = 10_000


def normalize(text: str, rules: NormalizeRules) -> str:
    """Return the text cleaned; cleaning it again changes nothing. Takes linear time."""
    openers = _ALL_OPENERS if _has_caption_rules(rules) else _OPENERS
    for _ in range(MAX_PASSES):
        cleaned = _clean(text, rules)
        # What one pass makes, such as a tag out of entities, is for the next one to clean.
        if cleaned == text or not (openers.search(cleaned) or _is_mojibake(cleaned, rules)):
            return cleaned
        text = cleaned
    # Deeper nesting is an attack or an accident: without openers nothing is left to unfold.
    text = _clean(openers.sub(" ", text), rules)
    if rules.fix_mojibake and _clean(text, rules) != text:
        # Openers came out of mojibake, or there is more of it: not even that is left now.
        text = _clean(openers.sub(" ", _NOT_ASCII.sub(" ", text)), rules)
    return text


def examine(
    original: str, normalized: str, rules: NormalizeRules
) -> tuple[RejectReason, str] | None:
    """Return why a text cannot be translated, or None where it can.

    Args:
        original: The text as the source has it.
        normalized: What `normalize` made of it.
        rules: The rules that `normalize` used.

    Returns:
        The reason, and a detail for the one who looks into the rejected rows.
    """
    if not original.strip():
        return RejectReason.EMPTY, "the text is empty"
    if not normalized:
        if normalize(original, _without_captions(rules)):
            return RejectReason.NO_WORDS, "only sound captions, music notes, labels or dashes"
        return RejectReason.MARKUP_ONLY, "nothing is left when markup and controls are removed"
    if not any(map(str.isalnum, normalized)):
        return RejectReason.NO_WORDS, "the text has no letter and no digit"
    if len(normalized) > rules.max_characters:
        return (
            RejectReason.TOO_LONG,
            f"{len(normalized)} characters, the limit is {rules.max_characters}; "
            "split the text, or raise normalize.max_characters",
        )
    return None


def _clean(text: str, rules: NormalizeRules) -> str:
    if rules.unescape_entities and "&" in text:
        text = _ENTITY.sub(_unescape, _NESTED_AMPERSAND.sub("&", text))
    if rules.fix_mojibake and not text.isascii():
        # Before control characters go: half of what UTF-8 read as Latin-1 consists of are such.
        text = fix_encoding(text)
    if rules.strip_control:
        text = _CONTROL.sub("", text)
    if rules.strip_markup:
        text = _MARKUP.sub("", _BREAK.sub("\n", text))
    if rules.fold_punctuation:
        text = text.translate(_PUNCTUATION)
    if rules.nfkc and not text.isascii():
        text = _cut_marks(unicodedata.normalize("NFKC", _cut_marks(text)))
        if rules.fold_punctuation:
            # NFKC takes some letters apart into one and an apostrophe.
            text = text.translate(_PUNCTUATION)
    return " ".join(_clean_captions(text, rules).split())


def _clean_captions(text: str, rules: NormalizeRules) -> str:
    if not _has_caption_rules(rules) or not _CAPTION_MARKS.search(text):
        return text
    text = "\n".join(text.splitlines())
    if rules.strip_sounds:
        text = strip_sounds(text)
    if rules.strip_music:
        text = strip_music(text)
    return strip_leads(text, speakers=rules.strip_speakers, dashes=rules.strip_dashes)


def _is_mojibake(text: str, rules: NormalizeRules) -> bool:
    return rules.fix_mojibake and not text.isascii() and is_bad(text)


def _has_caption_rules(rules: NormalizeRules) -> bool:
    return rules.strip_sounds or rules.strip_music or rules.strip_speakers or rules.strip_dashes


def _without_captions(rules: NormalizeRules) -> NormalizeRules:
    return replace(
        rules, strip_sounds=False, strip_music=False, strip_speakers=False, strip_dashes=False
    )


def _unescape(entity: re.Match[str]) -> str:
    if entity[0][1] == "#":
        return html.unescape(entity[0])
    return html5.get(entity[0][1:], entity[0])


def _cut_marks(text: str) -> str:
    """Keep at most 30 combining marks in a row, as Unicode's stream-safe format does (UAX 15).

    Python sorts longer rows of them in quadratic time.
    """
    return _mark_row().sub(r"\1", text)


@functools.cache
def _mark_row() -> re.Pattern[str]:
    beyond_the_last_mark = 0x1F000
    marks = "".join(
        character
        for character in map(chr, range(0x300, beyond_the_last_mark))
        if unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
    )
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")
