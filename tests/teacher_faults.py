"""How a teacher of the tests goes wrong: every decision follows from a seed, never from timing."""

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as a wire format has read it."""

    key: str
    source_hash: str
    id: str
    text: str
    model: str
    input_tokens: int = 0


class Kind(StrEnum):
    """What an answer is, for a wire format to say in its own words."""

    ANSWER = "answer"
    CUT = "cut"
    """`text` is the beginning of an answer that reached the most tokens."""
    REFUSED = "refused"
    """Blocked for its content, without text."""
    ERROR = "error"
    """No answer; `detail` says why."""
    DAMAGED = "damaged"
    """A good answer on a line that is no JSON, since it ends in the middle."""


@dataclass(frozen=True)
class Answer:
    """An answer to be written in a wire format; `text` is what the model wrote."""

    key: str
    kind: Kind
    text: str
    model: str
    input_tokens: int
    output_tokens: int
    detail: str = ""


def _rate(of: str) -> float:
    return field(default=0.0, metadata={"of": of})


@dataclass(frozen=True)
class Faults:
    """Rates in 0..1 of everything that can go wrong; with any of them, answers come reordered.

    Those of answers are drawn once an answer, by seed, hash of the text and number of the attempt;
    those of jobs by all of these together; those of HTTP by request and number of the attempt.
    """

    seed: int = 0
    retry_after_s: int = 0

    refusals: float = _rate("text")
    """Again and again for the same text."""

    swapped_keys: float = _rate("answer")
    missing_lines: float = _rate("answer")
    error_lines: float = _rate("answer")
    truncated: float = _rate("answer")
    repeated_lines: float = _rate("answer")
    looping: float = _rate("answer")
    other_language: float = _rate("answer")
    damaged_lines: float = _rate("answer")

    all_failed: float = _rate("job")
    """SUCCEEDED, and every line of it is an error."""
    expired: float = _rate("job")
    partial: float = _rate("job")
    cancelled: float = _rate("job")
    failed: float = _rate("job")
    """FAILED, without any answer or cost."""

    too_many_requests: float = _rate("http")
    unavailable: float = _rate("http")
    resets: float = _rate("http")

    lost_creates: float = _rate("create")
    """A job is made, and the connection reset before it is told."""

    broken_downloads: float = _rate("download")
    slow_downloads: float = _rate("download")

    @classmethod
    def everywhere(cls, rate: float, seed: int = 0) -> "Faults":
        """Return faults that all have one rate."""
        rates: dict[str, Any] = {f.name: rate for f in fields(cls) if "of" in f.metadata}
        return cls(seed=seed, **rates)

    @property
    def on(self) -> bool:
        """Whether anything can go wrong."""
        return any(getattr(self, f.name) for f in fields(self) if "of" in f.metadata)

    def draw(self, *subject: object) -> float:
        """Return a number in 0..1 that only the seed and the subject decide."""
        parts = "|".join(map(str, (self.seed, *subject)))
        return int.from_bytes(hashlib.blake2b(parts.encode(), digest_size=7).digest()) / 2**56

    def pick(self, of: str, *subject: object) -> str | None:
        """Return the name of the fault that befalls a subject, at most one of those of a kind."""
        left = self.draw(of, *subject)
        for rate in fields(self):
            if rate.metadata.get("of") == of:
                left -= getattr(self, rate.name)
                if left < 0:
                    return rate.name
        return None


def as_json(asked: Asked, gloss: str) -> str:
    """Return an answer as a model writes it."""
    answer = {"id": asked.id, "source_hash": asked.source_hash, "gloss": gloss}
    return json.dumps(answer, ensure_ascii=False)


_ELSEWHERE = (
    "ЖДУ ЦИФРЫ ЩЁДРО",
    "我 明天 回 家",
    "ΔΩΣΕ ΛΙΓΟ ΨΩΜΙ",
    "私は 明日 家に 帰ります",
    "سأعود غدا إلى البيت",
)
_BLOCKED_FOR = ("SAFETY", "RECITATION", "PROHIBITED_CONTENT")


def spoiled(good: Answer, asked: Asked, gloss: str, fault: str, share: float) -> Answer | None:
    """Return what a fault of one answer makes of it, None where it leaves nothing.

    Args:
        good: The answer as it would be.
        asked: What was asked.
        gloss: The gloss that is the truth.
        fault: Name of the fault, of those of a text or an answer.
        share: In 0..1, decides between the ways in which a fault shows.
    """
    if fault == "missing_lines":
        return None
    if fault == "refusals":
        why = _BLOCKED_FOR[int(share * len(_BLOCKED_FOR))]
        return replace(good, kind=Kind.REFUSED, text="", output_tokens=0, detail=why)
    if fault == "error_lines":
        return failed(good)
    if fault == "truncated":
        # The model may also just stop, and say that it is done.
        kind = Kind.CUT if share < 0.7 else Kind.ANSWER
        return replace(good, kind=kind, text=good.text[: int(len(good.text) * (0.3 + share / 2))])
    if fault == "looping":
        return replace(good, text=as_json(asked, " ".join(gloss.split()[:2] * 60)))
    if fault == "other_language":
        return replace(good, text=as_json(asked, _ELSEWHERE[int(share * len(_ELSEWHERE))]))
    if fault == "damaged_lines":
        return replace(good, kind=Kind.DAMAGED)
    return good


def failed(good: Answer) -> Answer:
    """Return an error in the place of an answer."""
    return replace(good, kind=Kind.ERROR, text="", output_tokens=0, detail="Internal error.")


def repeated(good: Answer, asked: Asked, gloss: str, share: float) -> Answer:
    """Return the second line of an answer: the same, or one that says otherwise."""
    if share < 0.5:
        return good
    return replace(good, text=as_json(asked, " ".join([*gloss.split()[1:], "AGAIN"])))


def with_keys_swapped(answers: Sequence[Answer], chosen: Sequence[int]) -> list[Answer]:
    """Return answers of which those chosen, two at least, have the key of another."""
    swapped = list(answers)
    for index, other in zip(chosen, [*chosen[1:], *chosen[:1]], strict=True):
        swapped[index] = replace(answers[index], key=answers[other].key)
    return swapped


def reordered(answers: Sequence[Answer], seed: object) -> tuple[Answer, ...]:
    """Return answers in another order."""
    order = list(answers)
    random.Random(str(seed)).shuffle(order)
    return tuple(order)
