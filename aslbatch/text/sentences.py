"""Where sentences of spoken English end: in one text, and over several that follow each other."""

import re
from collections.abc import Sequence

_STOPS = (".", "!", "?", "\u2026")
_STOP_CHARACTERS = "".join(_STOPS)
_OPENERS = "\"'\u2018\u201c\u00ab([{*_-\u2013\u2014"
_CLOSERS = "\"'\u2019\u201d\u00bb)]}*_"
_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_INITIALS = re.compile(r"[^\W\d_]|[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+")
_LIST_NUMBER = re.compile(r"\d{1,2}")

_NEVER_LAST_WORDS = """
    adm approx brig capt cf cmdr col cpl det dr e.g esp fr gov i.e insp lt maj messrs mlle mme mr
    mrs ms mt pfc pres prof pvt rev sen sgt st supt viz vs
"""
_BEFORE_A_NUMBER_WORDS = """
    apr art aug ch chap dec ext feb fig figs jan jul jun mar no nos nov oct p pp sec sep sept vol
"""
_SELDOM_LAST_WORDS = "assn ave blvd bros co corp dept ed est etc inc intl jr ltd rd sr univ"
_OPENING_WORDS = """
    a all an anyway are as at because but can come could did do does don't everybody everyone
    everything for get give go has have he hello her here hey his hi how however i if in is it its
    just let listen look maybe me my nah never no nobody not nothing now of oh okay ok on or our
    perhaps please right she should so some somebody someone sorry stop sure take tell thank thanks
    that the their then there these they this those to today tomorrow wait was we well were what
    when where which who whose why will with would yeah yep yes yesterday you your
"""
_NEVER_LAST = frozenset(_NEVER_LAST_WORDS.split())
_BEFORE_A_NUMBER = frozenset(_BEFORE_A_NUMBER_WORDS.split())
_SELDOM_LAST = frozenset(_SELDOM_LAST_WORDS.split())
_OPENING = frozenset(_OPENING_WORDS.split())


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Cut a text into sentences. Takes linear time.

    A sentence ends with `.`, `!`, `?` or an ellipsis, and quotes or brackets that close, before
    white space. Where that is unsure it goes on: before a small letter, unless the text has no
    capital at all; after titles and initials; after `etc.`, `Inc.`, `U.S.`, `p.m.` and the like,
    unless a word follows with which sentences often begin; after an ellipsis before "I" or a
    number; and, in words all in capitals, after an ellipsis before any but such a word.

    Args:
        text: Any text; best one that `aslbatch.text.normalize.normalize` has cleaned.

    Returns:
        Start and end of each sentence in characters. Between them lies white space alone; each has
        a letter or a digit where the text has one; none for a text of white space.
    """
    spans: list[tuple[int, int]] = []
    has_capitals = not text.islower()
    start, words = len(text) - len(text.lstrip()), 0
    stop: re.Match[str] | None = None
    after_stop = 0
    for token in _TOKEN.finditer(text):
        word = _WORD.search(token[0])
        if stop and not after_stop:
            after_stop = token.start()
        if stop and word:
            following = text[token.start() + word.start() : token.end()]
            if _ends(stop[0], word[0], following, is_first=words == 1, has_capitals=has_capitals):
                spans.append((start, stop.end()))
                start, words = after_stop, 0
            stop = None
        words += word is not None
        if words and token[0].rstrip(_CLOSERS).endswith(_STOPS):
            stop, after_stop = token, 0
    end = len(text.rstrip())
    return [*spans, (start, end)] if start < end else spans


def sentences_across(
    texts: Sequence[str], *, max_characters: int, max_texts: int
) -> list[tuple[str, int, int]]:
    """Cut texts that follow each other, such as cues, into sentences that may span several.

    Args:
        texts: Normalized texts, none of them empty.
        max_characters: A sentence that would become longer is cut between two texts.
        max_texts: A sentence of more texts is cut between two of them too.

    Returns:
        Each sentence, its texts joined with blanks, and the first and the last text it is from.
    """
    sentences: list[tuple[str, int, int]] = []
    whole = " ".join(texts)
    index = text_start = 0
    for start, end in sentence_spans(whole):
        while start > text_start + len(texts[index]):
            text_start += len(texts[index]) + 1
            index += 1
        first, cut = index, start
        while end > text_start + len(texts[index]):
            text_end = text_start + len(texts[index])
            next_end = min(end, text_end + 1 + len(texts[index + 1]))
            if next_end - cut > max_characters or index + 1 - first >= max_texts:
                sentences.append((whole[cut:text_end], first, index))
                first, cut = index + 1, text_end + 1
            text_start = text_end + 1
            index += 1
        sentences.append((whole[cut:end], first, index))
    return sentences


def _ends(token: str, word: str, following: str, *, is_first: bool, has_capitals: bool) -> bool:
    """Return whether a sentence ends between a token with a stop and the next word.

    Args:
        token: What has the stop.
        word: The next word.
        following: The same with what is attached to it.
        is_first: Whether the token is the first word of its sentence.
        has_capitals: Whether small letters say anything.
    """
    core = token.rstrip(_CLOSERS)
    bare = core.rstrip(_STOP_CHARACTERS)
    stops = core[len(bare) :]
    if word[0].islower() and (has_capitals or len(core) < len(token)):
        return False
    if "!" in stops or "?" in stops:
        return True
    if stops != ".":
        return _ends_with_ellipsis(bare, word)
    last = bare.lstrip(_OPENERS).lower()
    if last in _NEVER_LAST or (is_first and _LIST_NUMBER.fullmatch(last)):
        return False
    if last in _BEFORE_A_NUMBER:
        return not word[0].isdigit()
    next_is_initial = following[1:2] == "."
    if last == "i":
        return not next_is_initial
    if last in _SELDOM_LAST or _INITIALS.fullmatch(last):
        return _opens_often(word) and not next_is_initial
    return True


def _ends_with_ellipsis(bare: str, word: str) -> bool:
    if word[0].islower() or word[0].isdigit() or _without_contraction(word) == "i":
        return False
    is_shouted = bare.isupper() and word.isupper()
    return not is_shouted or _opens_often(word)


def _opens_often(word: str) -> bool:
    return word.lower() in _OPENING or _without_contraction(word) in _OPENING


def _without_contraction(word: str) -> str:
    return word.lower().replace("\u2019", "'").partition("'")[0]
