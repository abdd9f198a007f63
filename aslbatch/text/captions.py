"""What captions say beside the words: sounds, music, speakers and dialogue dashes."""

import re

NOTES = "\u2669\u266a\u266b\u266c\U0001f3b5\U0001f3b6\U0001f3bc"
CAPTION_MARKS = f"\\[(:>#{NOTES}\\-\u2013\u2014"
"""The inside of a character class; without any of these no rule of this module applies."""

_LONGEST_CAPTION_WORDS = 5
_LONGEST_LABEL_WORDS = 3

_BRACKETS = re.compile(r"\[([^][()]*)\]|\(([^][()]*)\)")
_MUSIC = re.compile(f"[{NOTES}]\ufe0f?")
_DASH = re.compile(
    r"\s*[-\u2013\u2014]+(?:\s+|(?=[^\W\d_]|[\"'\u2018\u201c\u00bf\u00a1\u2026]|\.\.))"
)
_CHEVRONS = re.compile(r"\s*>>+")
_BEFORE_TURN = re.compile(r"(?:\s+|<[^<>]*>|\{[^{}]*\})*")
# Two dashes, or a long one before a small letter, go on with what was broken off.
_TURN_DASH = re.compile(
    r"(?:[-\u2013]|\u2014(?!\s?[a-z]))(?![-\u2013\u2014])"
    rf"(?=\s|[^\W\d_]|[\"'\u2018\u201c\u00bf\u00a1\[(<{{{NOTES}\u2026]|\.\.)"
)
_LABEL = re.compile(r"\s*([^\W\d_][\w .'\u2019&#/-]{1,29}):(?=\s|$)")
_BEFORE_LABEL = re.compile(r"(?:\s+|<[^<>]*>|\{[^{}]*\}|-+|>>+)*")
_WORD = re.compile(r"[^\W\d_]+")

_NO_SPEAKER_WORDS = """
    ATTENTION CAUTION CC DANGER EDIT FAQ FW FWD FYI HINT ID IMPORTANT NB NOTE NOTES PS RE REMINDER
    TIP TODO UPDATE URL WARNING
"""
_SOUND_WORDS = """
    applause barking barks beeping beeps bell bells buzzing buzzes chatter chattering cheering
    cheers chuckle chuckles chuckling clapping claps coughing coughs crying cries exhales gasping
    gasps giggles giggling groaning groans growling growls grunting grunts hissing hum humming hums
    inaudible indistinct inhales instrumental laugh laughing laughs laughter moaning moans mumbles
    murmuring murmurs music panting pants ringing rings roaring roars scoffs screaming screams
    shouting shouts shrieks sighing sighs silence singing sings sniffles sniffling snoring sobbing
    sobs squeaks squeals static thunder unintelligible wailing whimpering whimpers whispering
    whispers whistles whistling yawning yawns yelling yells
"""
_NO_SPEAKERS = frozenset(_NO_SPEAKER_WORDS.split())
_SOUNDS = frozenset(_SOUND_WORDS.split())


def strip_sounds(text: str) -> str:
    """Blank out sound captions: `[SIGHS]`, `(APPLAUSE)`, `[soft music]`, `(laughs)`.

    In brackets, capitals are a caption, and so are a few words with a known sound among them. In
    parentheses, capitals are one where they are several words, a known sound, or the whole line,
    so that the parenthesis in "the agency (NASA)" stays; small letters only as a known sound of one
    or two words.
    """
    return "\n".join(map(_without_sounds, text.split("\n")))


def strip_music(text: str) -> str:
    """Drop music notes, and the `#` at both ends of a sung line."""
    lines = _MUSIC.sub(" ", text).split("\n")
    return "\n".join(map(_without_hashes, lines))


def strip_leads(text: str, *, speakers: bool, dashes: bool) -> str:
    """Drop what stands before the words of a line.

    Args:
        text: One or more lines.
        speakers: Drop labels in capitals such as `MAN 2:`, and `>>`.
        dashes: Drop the dash of a dialogue, but not the sign of a number.
    """
    return "\n".join(_without_lead(line, speakers, dashes) for line in text.split("\n"))


def speaker_label(text: str) -> str | None:
    """Return the name of a leading `NAME:` in capitals, behind markup and dashes, or None."""
    before = _BEFORE_LABEL.match(text)
    label = _LABEL.match(text, before.end() if before else 0)
    return label[1].strip() if label and _is_name(label[1]) else None


def opens_turn(text: str, *, speakers: bool, dashes: bool) -> bool:
    """Return whether a text begins, behind markup, with a mark that someone else speaks.

    Args:
        text: One or more lines.
        speakers: `>>` is such a mark.
        dashes: The dash of a dialogue is one: `- Hi`, `-Hi`, but not `-5` and not `--and then`.
    """
    before = _BEFORE_TURN.match(text)
    position = before.end() if before else 0
    if dashes and _TURN_DASH.match(text, position):
        return True
    return speakers and _CHEVRONS.match(text, position) is not None


def _without_sounds(line: str) -> str:
    line = line.strip()
    return _BRACKETS.sub(lambda caption: _blank_sound(caption, line), line)


def _blank_sound(caption: re.Match[str], line: str) -> str:
    content = (caption[1] or caption[2] or "").strip()
    words = _WORD.findall(content)
    letters = sum(map(len, words))
    known = not _SOUNDS.isdisjoint(word.lower() for word in words)
    if content.isupper() and letters > 1:
        several = len(content.split()) > 1
        is_sound = caption[1] is not None or several or known or line == caption[0]
    elif caption[1] is not None:
        is_sound = known and len(words) <= _LONGEST_CAPTION_WORDS
    else:
        is_sound = known and len(words) <= 2 and words[-1].lower() in _SOUNDS
    return " " if is_sound else caption[0]


def _without_hashes(line: str) -> str:
    stripped = line.strip()
    is_sung = stripped.startswith("# ") and stripped.endswith("#")
    return stripped.strip("# \t") if is_sung else line


def _without_lead(line: str, speakers: bool, dashes: bool) -> str:
    position = 0
    while True:
        lead = _DASH.match(line, position) if dashes else None
        if not lead and speakers:
            lead = _CHEVRONS.match(line, position) or _LABEL.match(line, position)
            if lead and lead.lastindex and not _is_name(lead[1]):
                lead = None
        if not lead:
            return line[position:]
        position = lead.end()


def _is_name(label: str) -> bool:
    words = label.split()
    if not label.isupper() or not 0 < len(words) <= _LONGEST_LABEL_WORDS:
        return False
    return words[0].replace(".", "") not in _NO_SPEAKERS
