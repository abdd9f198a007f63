"""Rolling captions: each cue shows the last lines of the one before it again.

So do roll-up captions of television, whose lines move up as new ones come, and automatic captions
in WebVTT, where moreover a short cue holds each line still before it moves.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from aslbatch.shards.formats.cues import Cue

MAX_ROWS = 4
"""Rolling captions have two to four lines; more are not looked at."""

MAX_GAP_MS = 250
"""Longest time without captions between two cues of which one rolls on from the other."""

MIN_PAIRS = 2
MIN_SHARE = 1 / 3

_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")

Line = tuple[int, str]


def without_repeats(cues: Sequence[Cue]) -> list[str | None]:
    """Return the text of each cue without the lines that it repeats, None where nothing is new.

    Only files that roll are touched: those where two or more cues, and at least a third of those
    that follow another without a pause, begin with the last lines of the other and add a line of
    their own. An actor who says "No!" twice adds nothing, so such cues alone are no sign of it.
    """
    lines = [_lines(cue.text) for cue in cues]
    shown = [number for number, its_lines in enumerate(lines) if its_lines]
    touching = [(a, b) for a, b in pairwise(shown) if _touch(cues[a], cues[b])]
    overlaps = {b: _overlap(lines[a], lines[b]) for a, b in touching}
    moving = sum(0 < overlap < len(lines[number]) for number, overlap in overlaps.items())
    texts: list[str | None] = [cue.text for cue in cues]
    if moving < max(MIN_PAIRS, MIN_SHARE * len(touching)):
        return texts
    for number, overlap in overlaps.items():
        if overlap == len(lines[number]):
            texts[number] = None
        elif overlap:
            last_repeated = lines[number][overlap - 1][0]
            texts[number] = "\n".join(cues[number].text.split("\n")[last_repeated + 1 :])
    return texts


def _lines(text: str) -> list[Line]:
    """Return the lines that show something, without markup and each with its place."""
    if "<" in text or "{" in text:
        text = _MARKUP.sub("", text)
    return [(row, line) for row, raw in enumerate(text.split("\n")) if (line := _squeezed(raw))]


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def _touch(earlier: Cue, later: Cue) -> bool:
    if earlier.start_ms is None or earlier.end_ms is None or later.start_ms is None:
        return False
    return earlier.start_ms <= later.start_ms <= earlier.end_ms + MAX_GAP_MS


def _overlap(earlier: list[Line], later: list[Line]) -> int:
    """Return how many of the last lines of one cue are the first of the next."""
    ends = [line for _, line in earlier[-MAX_ROWS:]]
    begins = [line for _, line in later[:MAX_ROWS]]
    for count in range(min(len(ends), len(begins)), 0, -1):
        # Music notes and the like stand on a line of their own in captions that do not roll too.
        if ends[-count:] == begins[:count] and any(map(str.isalnum, "".join(ends[-count:]))):
            return count
    return 0
