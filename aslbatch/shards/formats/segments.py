"""From cues to rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from aslbatch.rejects import Rejection
from aslbatch.schema import RejectReason
from aslbatch.shards.formats.cues import Cue
from aslbatch.shards.reading import SubtitleRows
from aslbatch.text.normalize import NormalizeRules


@dataclass(frozen=True, slots=True)
class Segment:
    text: str
    first_cue: int
    last_cue: int
    start_ms: int | None
    end_ms: int | None
    speaker: str | None
    reject: Rejection | None


def segment(cues: Sequence[Cue], *, rows: SubtitleRows, rules: NormalizeRules) -> list[Segment]:
    return [
        Segment(
            cue.text,
            number,
            number,
            cue.start_ms,
            cue.end_ms,
            cue.speaker,
            (RejectReason.INVALID_ROW, cue.fault) if cue.fault else None,
        )
        for number, cue in enumerate(cues, 1)
    ]
