"""Cues of subtitle files, parsed from text: SubRip, WebVTT and SubStation Alpha.

Written for archives of files that nobody checked: nothing here raises, every pattern takes linear
time, and a cue that is half broken is still a cue.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aslbatch.text.captions import speaker_label

_TIME = r"-?\s?(?:\d{1,4}\s?:\s?)?-?\d{1,3}\s?:\s?-?\d{1,3}(?:\s?[.,:]\s?-?\d{1,9})?"
_TIMING = re.compile(rf"\s*({_TIME})\s*-->\s*({_TIME})(?:\s.*)?", re.ASCII)
_NUMBERS = re.compile(r"\d+", re.ASCII)
_CUE_NUMBER = re.compile(r"\s*\d{1,9}\s*", re.ASCII)
_VOICE = re.compile(r"\s*<v(?:\.[^\s<>]*)?\s([^<>]*)>")
_ASS_BREAK = re.compile(r"\\[Nn]")
_ASS_FIELDS = (
    *("layer", "start", "end", "style", "name"),
    *("marginl", "marginr", "marginv", "effect", "text"),
)


@dataclass(frozen=True, slots=True)
class Cue:
    """One cue, as far as it could be read.

    Attributes:
        text: As written, with lines separated by newlines; blank lines around it are gone.
        start_ms: When it appears, in milliseconds; None where no time can be made out.
        end_ms: When it goes, which may be before it appears.
        speaker: Who speaks, where the file says so.
        fault: Why there is no text to be had, or None.
    """

    text: str
    start_ms: int | None
    end_ms: int | None
    speaker: str | None = None
    fault: str | None = None


def parse_cues(text: str, declared: str) -> list[Cue] | None:
    """Parse a subtitle file.

    Args:
        text: The content, without byte order mark.
        declared: `srt`, `vtt` or `ass`; it gives way to a header that says otherwise, since
            archives are full of files with the wrong ending.

    Returns:
        The cues in the order of the file, or None where this is no subtitle file at all.
    """
    # No subtitle has them, but UTF-16 without its mark, read as ASCII, has one a letter.
    text = text.replace("\0", "")
    # Careless tools convert line ends twice, to \r\r\n.
    for line_end in ("\r\r\n", "\r\n", "\r"):
        text = text.replace(line_end, "\n")
    kind, has_header = _kind(text, declared)
    lines = text.split("\n")
    cues = list(_substation(lines) if kind == "ass" else _timed_blocks(lines, kind))
    if not cues and not has_header and text.strip():
        return None
    return [cue if cue.speaker else replace(cue, speaker=speaker_in(cue.text)) for cue in cues]


def speaker_in(text: str) -> str | None:
    """Return who speaks, as the beginning of a cue's text says, or None."""
    voice = _VOICE.match(text)
    if voice:
        return html.unescape(voice[1]).strip() or None
    return speaker_label(text)


def _kind(text: str, declared: str) -> tuple[str, bool]:
    """Return the format of a file, and whether a header says so."""
    first = text.lstrip()[:32]
    if re.match(r"WEBVTT(?:\s|$)", first):
        return "vtt", True
    if re.match(r"\[(?:Script Info|V4\+? Styles|Events)\]", first, re.IGNORECASE):
        return "ass", True
    return declared, False


def _timed_blocks(lines: list[str], kind: str) -> Iterator[Cue]:
    """Yield the cues of SubRip or WebVTT: whatever else is in the file, a timing line begins one.

    A number on the line just before a timing line is the cue's, not text of the cue before. The
    text of SubRip goes on to the next cue, as blank lines within it are common; that of WebVTT ends
    at an empty line, after which identifiers, notes, styles and regions may follow.
    """
    timings = [row for row, line in enumerate(lines) if _is_timing(lines, row)]
    for row, end in pairwise([*timings, len(lines)]):
        body = lines[row + 1 : end]
        if body and end < len(lines) and _CUE_NUMBER.fullmatch(body[-1]):
            body.pop()
        if kind == "vtt" and "" in body:
            body = body[: body.index("")]
        timing = _TIMING.fullmatch(lines[row])
        start_ms = _milliseconds(timing[1]) if timing else None
        end_ms = _milliseconds(timing[2]) if timing else None
        yield Cue(_without_blank_ends(body), start_ms, end_ms)


def _is_timing(lines: list[str], row: int) -> bool:
    """Return whether a line is a timing line; after a cue number it may be an unreadable one."""
    if "-->" not in lines[row]:
        return False
    if _TIMING.fullmatch(lines[row]):
        return True
    return row > 0 and _CUE_NUMBER.fullmatch(lines[row - 1]) is not None


def _substation(lines: list[str]) -> Iterator[Cue]:
    """Yield the dialogue of SubStation Alpha; comments are no cues.

    The specification lets the Format line of the events put the fields in any order.
    """
    fields: Sequence[str] = _ASS_FIELDS
    in_events = False
    for line in lines:
        key, _, rest = line.partition(":")
        key = key.strip().lower()
        if key.startswith("["):
            in_events = key == "[events]"
        elif key == "format" and in_events:
            named = [name.strip().lower() for name in rest.split(",")]
            fields = named if "text" in named else _ASS_FIELDS
        elif key == "dialogue":
            yield _dialogue(rest, fields)


def _dialogue(line: str, fields: Sequence[str]) -> Cue:
    values = line.split(",", len(fields) - 1)
    if len(values) < len(fields):
        fault = f"the Dialogue line has {len(values)} fields, expected {len(fields)}; correct it"
        return Cue("", None, None, fault=fault)
    event = dict(zip(fields, values, strict=True))
    text = _ASS_BREAK.sub("\n", event["text"]).replace(r"\h", "\u00a0")
    return Cue(
        text=_without_blank_ends(text.split("\n")),
        start_ms=_time(event.get("start", "")),
        end_ms=_time(event.get("end", "")),
        speaker=(event.get("name") or event.get("actor") or "").strip() or None,
    )


def _time(text: str) -> int | None:
    return _milliseconds(text) if re.fullmatch(rf"\s*{_TIME}\s*", text, re.ASCII) else None


def _milliseconds(time: str) -> int:
    """Return the milliseconds of a time that matches `_TIME`; a sign anywhere is that of all."""
    numbers = _NUMBERS.findall(time)
    has_fraction = re.search(r"[.,]", time) is not None or len(numbers) == 4
    fraction = numbers.pop().ljust(3, "0")[:3] if has_fraction else "0"
    seconds = 0
    for number in numbers:
        seconds = seconds * 60 + int(number)
    milliseconds = seconds * 1_000 + int(fraction)
    return -milliseconds if "-" in time else milliseconds


def _without_blank_ends(lines: list[str]) -> str:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return "\n".join(lines[start:end])
