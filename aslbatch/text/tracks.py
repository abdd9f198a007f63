"""Subtitle tracks as text: cues written as SubRip or WebVTT.

WebVTT is that of https://www.w3.org/TR/webvtt1/; SubRip has no specification, so what is written
is what every player reads.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_ARROW = re.compile(r"--+>")

MOST_MS = 10_000 * 3_600_000 - 1
"""The latest time that is written, a millisecond before hour 10,000."""


@dataclass(frozen=True, slots=True)
class TrackCue:
    """One cue of a track.

    Attributes:
        start_ms: When it appears, in milliseconds from 0 to MOST_MS.
        end_ms: When it goes, within the same bounds; it may be before it appears.
        texts: What it says; where there are several, it is a dialogue.
    """

    start_ms: int
    end_ms: int
    texts: Sequence[str]


def to_srt(cues: Iterable[TrackCue]) -> str:
    """Return cues as a SubRip file, numbered from 1.

    An arrow in a text would be taken for one between times, so it is written as `->`.
    """
    blocks = (
        f"{number}\n{_time(cue.start_ms, ',')} --> {_time(cue.end_ms, ',')}\n"
        f"{_body(cue, _without_arrows)}\n"
        for number, cue in enumerate(cues, 1)
    )
    return "\n".join(blocks)


def to_vtt(cues: Iterable[TrackCue]) -> str:
    """Return cues as a WebVTT file; `&`, `<` and `>` are written as character references."""
    blocks = (
        f"\n{_time(cue.start_ms, '.')} --> {_time(cue.end_ms, '.')}\n{_body(cue, _escape)}\n"
        for cue in cues
    )
    return "WEBVTT\n" + "".join(blocks)


WRITERS: dict[str, Callable[[Iterable[TrackCue]], str]] = {"srt": to_srt, "vtt": to_vtt}
"""The writer of each format, which is also the ending of its files."""


def _time(ms: int, point: str) -> str:
    seconds, rest = divmod(ms, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{rest:03}"


def _body(cue: TrackCue, escape: Callable[[str], str]) -> str:
    """Return the lines of a cue without the blank ones, any of which would end it."""
    texts = [escape("\n".join(_lines(text))) for text in cue.texts]
    return "\n".join(texts) if len(texts) == 1 else "\n".join(f"- {text}" for text in texts)


def _lines(text: str) -> list[str]:
    # A null character is refused by WebVTT, and makes a player take SubRip for UTF-16.
    return [line for line in text.replace("\0", "").splitlines() if line.strip()]


def _without_arrows(text: str) -> str:
    return _ARROW.sub("->", text)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
