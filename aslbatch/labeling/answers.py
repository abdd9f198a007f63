"""What of a teacher's answers can be believed: one outcome for each request, whatever came back.

Services lose answers, repeat them, put them in another order and return them under the key of
another request. So nothing is taken from where it stands: an answer must carry the id and the
source hash of the request whose key it came under, and be the only one there.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aslbatch.labeling.gloss_check import gloss_fault, shown
from aslbatch.labeling.protocol import ANSWER_SCHEMA, Ending, RawAnswer, Usage
from aslbatch.rejects import Rejection
from aslbatch.schema import RejectReason

_FIELDS = frozenset(ANSWER_SCHEMA["required"])
_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL | re.IGNORECASE)
_LONGEST_DETAIL = 300
_QUOTED_END = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was made.

    Attributes:
        source_hash: Hash of the text, see `aslbatch.provenance.hashing.source_hash`.
        text: The text to gloss, normalized.
    """

    source_hash: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: a gloss or a failure, never both.

    Attributes:
        key: Of the request.
        source_hash: Of its text.
        gloss: What the teacher gave, None where it failed.
        failure: Why there is no gloss, None where there is one.
        detail: What exactly was found; empty where there is a gloss.
        usage: Tokens of all lines under the key, failed and repeated ones too: they are paid.
        model: The model as the service names it; empty if unsaid.
        uncounted: How often it may have been paid for what is not in `usage`.
    """

    key: str
    source_hash: str
    gloss: str | None
    failure: RejectReason | None
    detail: str
    usage: Usage
    model: str
    uncounted: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of some requests.

    Attributes:
        outcomes: One for each request, in their order.
        strays: Lines without a key, or with one that nobody asked under.
        uncounted_strays: Those of them without a count of tokens.
        stray_usage: Tokens of those lines, which are paid too.
    """

    outcomes: list[Outcome]
    strays: int
    uncounted_strays: int
    stray_usage: Usage


def check_answers(asks: Mapping[str, Asked], raw: Iterable[RawAnswer]) -> Answers:
    """Find out what came of each request.

    An answer is a JSON object with exactly the fields of `ANSWER_SCHEMA`, all strings; a Markdown
    code fence around it is taken off, since models like to write one where the service does not
    enforce the schema. Two lines that say the same are one answer.

    Args:
        asks: The requests by their keys.
        raw: What came back, in any order; lines may be missing, doubled or another's.
    """
    found: dict[str, list[RawAnswer]] = {key: [] for key in asks}
    strays = uncounted = 0
    stray_usage = Usage()
    for line in raw:
        if line.key is None or line.key not in found:
            strays += 1
            uncounted += line.usage == Usage()
            stray_usage += line.usage
        else:
            found[line.key].append(line)
    outcomes = [_outcome(key, asks[key], found[key]) for key in asks]
    return Answers(outcomes, strays, uncounted, stray_usage)


def _outcome(key: str, asked: Asked, lines: Sequence[RawAnswer]) -> Outcome:
    gloss, fault = _judge(key, asked, lines)
    reason, detail = fault or (None, "")
    return Outcome(
        key=key,
        source_hash=asked.source_hash,
        gloss=gloss,
        failure=reason,
        detail=_one_line(detail),
        usage=sum((line.usage for line in lines), Usage()),
        model=next((line.model for line in lines if line.model), ""),
        uncounted=sum(line.unsure + _is_uncounted(line) for line in lines) if lines else 1,
    )


def _is_uncounted(line: RawAnswer) -> bool:
    """Return whether a line may be paid for without a count; an error of the service is not."""
    if line.ending is Ending.ERROR:
        return False
    has_output = line.ending is not Ending.REFUSED or bool(line.text)
    return not line.usage.input_tokens or (has_output and not line.usage.output_tokens)


def _judge(
    key: str, asked: Asked, lines: Sequence[RawAnswer]
) -> tuple[str, None] | tuple[None, Rejection]:
    if not lines:
        return None, (RejectReason.MISSING_ANSWER, "no answer came under this key")
    line = lines[0]
    endings = {each.ending for each in lines}
    if endings == {line.ending} and line.ending is not Ending.COMPLETE:
        return None, _unfinished(line)
    if len({(each.ending, each.text) for each in lines}) > 1:
        detail = f"{len(lines)} answers that differ: {' and '.join(_quoted(lines))}"
        return None, (RejectReason.REPEATED_ANSWER, detail)
    if not line.text.strip():
        return None, (RejectReason.REFUSED, "the answer is empty")
    fields = _fields(line.text)
    if isinstance(fields, str):
        return None, (RejectReason.INVALID_JSON, f"{fields}: {shown(line.text)}")
    for name, expected in (("id", key), ("source_hash", asked.source_hash)):
        if fields[name] != expected:
            detail = f"its {name} is {shown(fields[name])}, expected {shown(expected)}"
            return None, (RejectReason.MISPLACED_ANSWER, detail)
    gloss = fields["gloss"].strip(" ")
    fault = gloss_fault(gloss, asked.text)
    return (None, fault) if fault else (gloss, None)


def _unfinished(line: RawAnswer) -> Rejection:
    if line.ending is Ending.CUT:
        return (
            RejectReason.CUT_OFF,
            f"cut off after {shown(line.text[-_QUOTED_END:])} {line.detail}",
        )
    said = line.detail or shown(line.text)
    if line.ending is Ending.REFUSED:
        return RejectReason.REFUSED, f"the teacher refused: {said}"
    return RejectReason.SERVICE_ERROR, f"the service said: {said}"


def _fields(text: str) -> dict[str, str] | str:
    """Return the fields of an answer, or what is wrong with it."""
    text = text.strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        return f"no JSON ({error})"
    if not isinstance(pairs, _Pairs):
        return "no JSON object"
    fields = dict(pairs)
    if fields.keys() != _FIELDS or len(pairs) != len(fields):
        return f"not the fields {', '.join(sorted(_FIELDS))}, each once"
    strings = {name: value for name, value in fields.items() if isinstance(value, str)}
    if strings != fields:
        return f"no strings: {', '.join(sorted(fields.keys() - strings.keys()))}"
    return strings


class _Pairs(list[tuple[str, object]]):
    """Fields of a JSON object as they stand, so that one with two glosses is noticed."""


def _quoted(lines: Iterable[RawAnswer]) -> list[str]:
    """Return the ends of answers, where their glosses stand."""
    texts = dict.fromkeys(line.text or line.detail for line in lines)
    return [shown(text[-_QUOTED_END:]) for text in texts][:2]


def _one_line(detail: str) -> str:
    """Return a detail on one line, not all of a long one, such that any file can hold it."""
    line = " ".join(detail.split())[:_LONGEST_DETAIL]
    return line.encode("utf-8", "replace").decode()
