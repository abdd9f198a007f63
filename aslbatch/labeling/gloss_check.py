"""Whether what a teacher gave for a gloss is one: a judgment of form, not of meaning."""

import re
import unicodedata

from aslbatch.rejects import Rejection
from aslbatch.schema import RejectReason
from aslbatch.text.loops import most_repeats

_LONGEST_PHRASE = 8
_MOST_REPEATS = 5
_MOST_SIGNS_A_WORD = 3
_MOST_SIGNS_ANYWAY = 10
_MOST_CHARACTERS_A_CHARACTER = 3
_MOST_CHARACTERS_ANYWAY = 100
_LONGEST_DESCRIPTION = 4
_MOST_SMALL_SHARE = 1 / 3

_PIECES = re.compile(r"[\s+-]+")
_SAME_LETTERS = re.compile(r"([^\W\d_]{1,8}?)\1{9,}")
# Controls, formats (zero-width and direction marks), surrogates, private and unassigned characters,
# ends of lines and paragraphs.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters of no script in particular: modifiers such as the okina, and ordinal indicators.
_MODIFIER = "Lm"
_ORDINALS = "\u00aa\u00ba"

_CLASSIFIER = re.compile(r"\(?(?:[ISBLD]|BP|SAS|P)?CL(?:-\w)?:", re.IGNORECASE)
_WORD = re.compile(r"[^\w]*([^\W\d_]+(?:['\u2019-][^\W\d_]+)*)[^\w]*")
_SMALL_CONVENTION = re.compile(r"(?:fs|ns|ix|poss)-\w|#\w|ix\b|poss$|(?:wh|rh)-?q$|hn$|hs$|neg$")
_OPENED, _CLOSED = "([<", (")", "]", ">")


def gloss_fault(gloss: str, source: str) -> Rejection | None:
    """Return what is wrong with a gloss, None where nothing is.

    Faults are: no sign at all; line ends and other characters that nobody can see; a phrase more
    than 5 times in a row, and more often than in the source; more than 3 signs a word and 10 on top
    (or 3 characters a character and 100 on top); letters of a script that neither is Latin nor in
    the source; English instead of signs, which is the source as it stands, or more than a third of
    the words in small letters.

    Small letters do not count where conventions have them: in `IX-he`, `fs-John`, `HOWq`, and in
    the first 4 words of a comment in brackets or of the description of a classifier.

    Args:
        gloss: What a teacher gave.
        source: The normalized English text.

    Returns:
        The reason, and a detail that quotes what was found.
    """
    return (
        _unreadable(gloss)
        or _loops(gloss, source)
        or _foreign(gloss, source)
        or _too_long(gloss, source)
        or _english(gloss, source)
    )


def _unreadable(gloss: str) -> Rejection | None:
    if not any(map(str.isalnum, gloss)):
        return RejectReason.INVALID_GLOSS, f"the gloss has no sign: {shown(gloss)}"
    for character in gloss:
        if unicodedata.category(character) in _UNPRINTABLE:
            return (
                RejectReason.INVALID_GLOSS,
                f"the gloss has the character U+{ord(character):04X}: {shown(gloss)}",
            )
    return None


def _loops(gloss: str, source: str) -> Rejection | None:
    ours, theirs = (
        most_repeats(list(filter(None, _PIECES.split(text.casefold()))), _LONGEST_PHRASE)
        for text in (gloss, source)
    )
    if ours > max(_MOST_REPEATS, theirs):
        return RejectReason.LOOPING, f"the same {ours} times in a row: {shown(gloss)}"
    found = _SAME_LETTERS.search(gloss)
    if found and found[0].casefold() not in source.casefold():
        return RejectReason.LOOPING, f"the same letters over and over: {shown(found[0])}"
    return None


def _foreign(gloss: str, source: str) -> Rejection | None:
    if gloss.isascii():
        return None
    strange = {letter for letter in gloss.upper() if _is_foreign(letter)} - set(source.upper())
    if strange:
        names = ", ".join(unicodedata.name(letter, "?") for letter in sorted(strange)[:3])
        return RejectReason.WRONG_LANGUAGE, f"letters such as {names}: {shown(gloss)}"
    return None


def _is_foreign(character: str) -> bool:
    if not character.isalpha() or character in _ORDINALS:
        return False
    if unicodedata.category(character) == _MODIFIER:
        return False
    return "LATIN " not in unicodedata.name(character, "")


def _too_long(gloss: str, source: str) -> Rejection | None:
    signs, words = len(gloss.split()), len(source.split())
    most = _MOST_SIGNS_A_WORD * words + _MOST_SIGNS_ANYWAY
    if signs > most:
        return (
            RejectReason.INVALID_GLOSS,
            f"{signs} signs for {words} words, at most {most}: {shown(gloss)}",
        )
    longest = _MOST_CHARACTERS_A_CHARACTER * len(source) + _MOST_CHARACTERS_ANYWAY
    if len(gloss) > longest:
        return (
            RejectReason.INVALID_GLOSS,
            f"{len(gloss)} characters for {len(source)}, at most {longest}: {shown(gloss)}",
        )
    return None


def _english(gloss: str, source: str) -> Rejection | None:
    small, signs = _small_words_and_signs(gloss)
    if small and gloss == source:
        return RejectReason.INVALID_GLOSS, f"the gloss is the text itself: {shown(gloss)}"
    if not small and not signs:
        return RejectReason.INVALID_GLOSS, f"the gloss has no sign: {shown(gloss)}"
    if small > _MOST_SMALL_SHARE * (small + signs):
        return RejectReason.INVALID_GLOSS, f"English, not signs in capitals: {shown(gloss)}"
    return None


def _small_words_and_signs(gloss: str) -> tuple[int, int]:
    """Return how many words are English in small letters, and how many tokens are signs.

    Neither are single small letters, and the first words of a comment or the description of a
    classifier.
    """
    small = signs = 0
    described = 0
    for token in gloss.split():
        word = _WORD.fullmatch(token)
        if _CLASSIFIER.match(token):
            signs, described = signs + 1, _LONGEST_DESCRIPTION
            continue
        if token[0] in _OPENED:
            described = _LONGEST_DESCRIPTION
        if word is None or _SMALL_CONVENTION.match(token):
            signs += 1
        elif word[1].isupper() or (len(word[1]) > 1 and not word[1][1:].islower()):
            signs += 1
            described = 0 if token[0] not in _OPENED else described
        elif described:
            described -= 1
        else:
            small += len(word[1]) > 1
        if token.endswith(_CLOSED):
            described = 0
    return small, signs


def shown(text: str, most: int = 80) -> str:
    """Return a text as a message quotes it: on one line, and not all of a long one."""
    return repr(text if len(text) <= most else text[: most - 3] + "...")
