"""The wire format of OpenAI-compatible chats: how a request is written and an answer read.

The same bodies go to a chat endpoint and, one a line, into the files of batches, those of
`vllm run-batch` too: https://platform.openai.com/docs/guides/batch.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aslbatch.labeling.protocol import ANSWER_SCHEMA, Ask, Ending, Limits, RawAnswer, Usage
from aslbatch.storage.insist import masked

BATCH_ENDPOINT = "/v1/chat/completions"
"""What the requests of a batch file are for."""

BATCH_LIMITS = Limits(max_requests=50_000, max_bytes=200_000_000)
"""Of a batch of the hosted service."""

_LONGEST_DETAIL = 200
_NOT_DONE = ("error", "abort")
"""Why services other than the hosted one say that an answer ended before it was done."""
_NOT_BEGUN = ("batch_expired", "batch_cancelled")
"""Codes of lines that say that a request was never taken up, and costs nothing."""


@dataclass(frozen=True, slots=True)
class ChatRequests:
    """How requests are written.

    Attributes:
        model: The model that is asked.
        temperature: Of sampling; None for the service's own.
        max_output_tokens: Most tokens of an answer, those of thinking included.
    """

    model: str
    temperature: float | None
    max_output_tokens: int

    def body(self, ask: Ask) -> dict[str, Any]:
        """Return the body of a request for a chat completion."""
        schema = {**ANSWER_SCHEMA, "additionalProperties": False}
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": ask.system},
                {"role": "user", "content": ask.user},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "gloss", "strict": True, "schema": schema},
            },
            "max_completion_tokens": self.max_output_tokens,
        }
        if self.temperature is not None:
            body["temperature"] = self.temperature
        return body

    def line(self, ask: Ask) -> bytes:
        """Return a request as a line of a batch file, with its line end."""
        line = {
            "custom_id": ask.key,
            "method": "POST",
            "url": BATCH_ENDPOINT,
            "body": self.body(ask),
        }
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def read_completion(key: str | None, body: Mapping[str, Any]) -> RawAnswer:
    """Return what a chat completion says; nothing in it has to be there."""
    usage, choices = _mapping(body.get("usage")), body.get("choices")
    first = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
    message = _mapping(first.get("message"))
    text, finish = _string(message.get("content")), _string(first.get("finish_reason"))
    ending, detail = _ending(text, finish, _string(message.get("refusal")))
    if not first or body.get("error"):
        ending, detail = Ending.ERROR, _error(body.get("error")) or "an answer without choices"
    return RawAnswer(
        key,
        ending,
        text,
        detail,
        Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))),
        _string(body.get("model")),
    )


def read_lines(lines: Iterable[bytes], hide: Callable[[str], str] = str) -> Iterator[RawAnswer]:
    """Yield the answers of a batch file.

    Lines that are blank, or say that the job was over before their request was taken up, are none.

    Args:
        lines: The lines, with their ends.
        hide: Takes secrets out of what the service wrote.
    """
    answers = (read_line(line, hide) for line in lines if line.strip())
    return (answer for answer in answers if answer is not None)


def read_line(line: bytes, hide: Callable[[str], str] = str) -> RawAnswer | None:
    """Return what a line of a batch's output says, of its file of errors too; None for nothing.

    The completion is below `response.body`, or `response` itself.
    """
    found = _object(line, hide)
    if found is None:
        return damaged(line, hide)
    if _mapping(found.get("error")).get("code") in _NOT_BEGUN:
        return None
    key = _string(found.get("custom_id")) or None
    response = _mapping(found.get("response"))
    body = _mapping(response.get("body")) if "body" in response else response
    status = response.get("status_code", 200)
    if not found.get("error") and status == 200 and body:
        return read_completion(key, body)
    said = _error(found.get("error")) or _error(body.get("error")) or damaged(line, hide).detail
    return RawAnswer(key, Ending.ERROR, detail=said if status == 200 else f"{status}: {said}")


def read_body(key: str, body: bytes, hide: Callable[[str], str] = str) -> RawAnswer:
    """Return what the answer of a chat endpoint says, given as it came."""
    found = _object(body, hide)
    if found is None:
        return RawAnswer(key, Ending.ERROR, detail=damaged(body, hide).detail, unsure=1)
    answer = read_completion(key, found)
    is_uncounted = answer.usage == Usage() and not found.get("error")
    is_unsure = answer.ending is Ending.ERROR and is_uncounted
    return replace(answer, unsure=int(is_unsure))


def damaged(line: bytes, hide: Callable[[str], str] = str) -> RawAnswer:
    """Return what is known of a line that makes no sense: how it begins."""
    return RawAnswer(None, Ending.ERROR, detail=_cut(hide(line.decode(errors="replace"))))


def _ending(text: str, finish: str, refusal: str) -> tuple[Ending, str]:
    """Return how an answer ended, and what was said of that."""
    if refusal or finish == "content_filter":
        return Ending.REFUSED, _cut(refusal or finish)
    if finish == "length":
        return Ending.CUT, ""
    if finish in _NOT_DONE:
        return Ending.ERROR, f"finish_reason {finish}"
    if not text.strip():
        return Ending.REFUSED, f"no text, finish_reason {finish or 'not given'}"
    return Ending.COMPLETE, ""


def _error(error: object) -> str:
    """Return an error in one line: a text, or an object with a message, or one around that."""
    inner = _mapping(error).get("error", error)
    said = _mapping(inner)
    words = [said[name] for name in ("code", "message") if said.get(name)] or [inner]
    return _cut(_string(": ".join(map(str, words)))) if inner else ""


def _object(text: bytes, hide: Callable[[str], str]) -> dict[str, Any] | None:
    """Return a JSON object with nothing secret in its texts, None where it is none."""
    try:
        found = _hidden(json.loads(text), hide)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _hidden(value: object, hide: Callable[[str], str]) -> object:
    """Return a JSON value with nothing secret in its texts."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_hidden(each, hide) for each in value]
    if isinstance(value, dict):
        return {name: _hidden(each, hide) for name, each in value.items()}
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str:
    """Return a text, empty where it is none; half characters, which JSON allows, become `?`."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _cut(text: str) -> str:
    return masked(" ".join(text.split()), ())[:_LONGEST_DETAIL]
