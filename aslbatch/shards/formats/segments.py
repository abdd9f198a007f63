"""From the cues of a subtitle file to rows: cues, turns of speakers, or sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter

from aslbatch.rejects import Rejection
from aslbatch.schema import NOTHING_TO_TRANSLATE, RejectReason
from aslbatch.shards.formats.cues import Cue, speaker_in
from aslbatch.shards.formats.rolling import without_repeats
from aslbatch.shards.reading import SubtitleRows
from aslbatch.text.captions import opens_turn
from aslbatch.text.normalize import NormalizeRules, examine, normalize
from aslbatch.text.sentences import sentences_across

MAX_PAUSE_MS = 3_000
"""Longest time between two cues of one sentence."""

MAX_SENTENCE_CHARACTERS = 300
"""A sentence that would become longer, as captions without punctuation do, ends with a cue."""

MAX_SENTENCE_TURNS = 24
"""The same by turns, of which a cue has one or more."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What becomes a row.

    Attributes:
        text: Part of a cue as written, or a sentence, normalized, of one or more cues.
        first_cue: Number of the first cue that it is from, from 1, in the order of the file.
        last_cue: Number of the last one.
        start_ms: When the first cue appears, in milliseconds; None where the file does not say.
        end_ms: When the last one goes.
        speaker: Who speaks, where the file says so of the first cue.
        reject: Why there is nothing to translate, or None.
    """

    text: str
    first_cue: int
    last_cue: int
    start_ms: int | None
    end_ms: int | None
    speaker: str | None
    reject: Rejection | None = None


def segment(cues: Sequence[Cue], *, rows: SubtitleRows, rules: NormalizeRules) -> list[Segment]:
    """Turn the cues of one file into rows. Takes linear time, and raises nothing.

    Args:
        cues: All cues of the file, in its order.
        rows: What a row is. A `cue` stays as it stands. A `turn` is what one speaker says in a cue,
            less the lines of rolling captions that the cue before had already. A `sentence` is
            turns, cleaned, joined and cut where sentences end; it goes on in the next turn unless
            someone else speaks there, it comes more than 3 s later, time runs backwards, or a cue
            between cannot be read.
        rules: What is cleaned. Turns are told apart by what `strip_dashes` and `strip_speakers`
            remove, and only where they do, so that gloss is left whole.

    Returns:
        Segments by first cue; each cue is in at least one. Those with nothing to translate are
        rejected where that is known: cues that cannot be read or only repeat, and, among
        sentences, turns of which cleaning leaves nothing.
    """
    if rows == "cue":
        return [_segment(cue, number, cue.text) for number, cue in enumerate(cues, 1)]
    turns = list(_turns(cues, rules))
    return turns if rows == "turn" else _sentences(turns, rules)


def _turns(cues: Sequence[Cue], rules: NormalizeRules) -> Iterator[Segment]:
    for number, (cue, text) in enumerate(zip(cues, without_repeats(cues), strict=True), 1):
        if text is None:
            detail = "a rolling caption that only shows again what the cue before it said"
            yield replace(_segment(cue, number, cue.text), reject=(RejectReason.REPEATED, detail))
            continue
        for turn in _split(text, rules):
            yield _segment(cue, number, turn)


def _split(text: str, rules: NormalizeRules) -> list[str]:
    """Cut the text of a cue into what each speaker says, markup and marks included.

    A turn begins with a line that begins with a dash, where there are two or more of them, with
    `>>`, or with a label or voice tag. Lines without go on with the turn before.
    """
    lines = text.split("\n")
    if len(lines) == 1:
        return lines
    dashed = [
        row
        for row, line in enumerate(lines)
        if rules.strip_dashes and opens_turn(line, speakers=False, dashes=True)
    ]
    starts = set(dashed) if len(dashed) > 1 else set()
    if rules.strip_speakers:
        starts |= {
            row
            for row, line in enumerate(lines)
            if speaker_in(line) or opens_turn(line, speakers=True, dashes=False)
        }
    # What stands before the first mark is a turn too, unless there is nothing.
    first = min(starts, default=0)
    if not "".join(lines[:first]).strip():
        starts.discard(first)
    cuts = [0, *sorted(starts - {0}), len(lines)]
    return ["\n".join(lines[start:end]) for start, end in pairwise(cuts)]


def _segment(cue: Cue, number: int, text: str) -> Segment:
    # The speaker of a whole cue may be one of several, so each part has that which it names itself.
    speaker = cue.speaker if text == cue.text else speaker_in(text)
    reject = (RejectReason.INVALID_ROW, cue.fault) if cue.fault else None
    return Segment(text, number, number, cue.start_ms, cue.end_ms, speaker, reject)


def _sentences(turns: Sequence[Segment], rules: NormalizeRules) -> list[Segment]:
    """Return sentences and rejected turns in the order of the turns that they begin with."""
    found: list[tuple[int, Segment]] = []
    chain: list[tuple[int, Segment]] = []
    for position, turn in enumerate(turns):
        cleaned = _clean(turn, rules)
        if cleaned.reject:
            found.append((position, cleaned))
            if cleaned.reject[0] is RejectReason.INVALID_ROW:
                found += _joined(chain)
                chain = []
            continue
        if chain and _begins_afresh(turn, chain, rules):
            found += _joined(chain)
            chain = []
        chain.append((position, cleaned))
    found += _joined(chain)
    return [row for _, row in sorted(found, key=itemgetter(0))]


def _clean(turn: Segment, rules: NormalizeRules) -> Segment:
    if turn.reject:
        return turn
    text = normalize(turn.text, rules)
    reject = examine(turn.text, text, rules)
    # What is too long may become several sentences that are not.
    if reject and reject[0] in NOTHING_TO_TRANSLATE:
        return replace(turn, reject=reject)
    return replace(turn, text=text)


def _begins_afresh(
    turn: Segment, chain: Sequence[tuple[int, Segment]], rules: NormalizeRules
) -> bool:
    """Return whether a turn, as written, cannot go on with the sentence of those before it."""
    (_, first), (_, before) = chain[0], chain[-1]
    if turn.speaker not in (None, first.speaker):
        return True
    if opens_turn(turn.text, speakers=rules.strip_speakers, dashes=rules.strip_dashes):
        return True
    if turn.start_ms is None or before.start_ms is None:
        return False
    gone_ms = max(before.start_ms, before.end_ms or before.start_ms)
    return not before.start_ms <= turn.start_ms <= gone_ms + MAX_PAUSE_MS


def _joined(chain: Sequence[tuple[int, Segment]]) -> Iterator[tuple[int, Segment]]:
    sentences = sentences_across(
        [turn.text for _, turn in chain],
        max_characters=MAX_SENTENCE_CHARACTERS,
        max_texts=MAX_SENTENCE_TURNS,
    )
    for text, first, last in sentences:
        position, begin = chain[first]
        _, end = chain[last]
        yield position, replace(begin, text=text, last_cue=end.last_cue, end_ms=end.end_ms)
