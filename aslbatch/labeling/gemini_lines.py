"""Lines of Gemini's batch files: requests as it reads them, answers as it writes them.

https://ai.google.dev/gemini-api/docs/batch-api and the types of `generateContent`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aslbatch.labeling.protocol import Ask, Ending, RawAnswer, Usage
from aslbatch.storage.insist import masked

_LONGEST_DETAIL = 200

_REFUSALS = {
    "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "LANGUAGE", "IMAGE_SAFETY",
}  # fmt: skip


def gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema in the dialect of `responseSchema`.

    `responseJsonSchema` would take it as it is, but is silently ignored by batch jobs. Properties
    are asked for in their order here, so that what is echoed comes before what is thought up.
    """
    converted = {**schema, "type": str(schema["type"]).upper()}
    if "properties" in schema:
        properties = schema["properties"]
        converted["properties"] = {name: gemini_schema(of) for name, of in properties.items()}
        converted["propertyOrdering"] = list(properties)
    if "items" in schema:
        converted["items"] = gemini_schema(schema["items"])
    return converted


def request_line(ask: Ask, generation: Mapping[str, Any]) -> bytes:
    """Return a request as a line of a file, with its line end.

    Args:
        ask: The request.
        generation: `generationConfig` of all requests.
    """
    request = {
        "contents": [{"role": "user", "parts": [{"text": ask.user}]}],
        "systemInstruction": {"parts": [{"text": ask.system}]},
        "generationConfig": generation,
    }
    line = {"key": ask.key, "request": request}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_answer(line: bytes, hide: Callable[[str], str]) -> RawAnswer:
    """Return what a line of an answer file says, whatever it is.

    Args:
        line: The line, with or without its end.
        hide: Takes the key out of a text, and nothing else: it may be an answer.
    """
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        text = line.decode(errors="replace").strip()
        return RawAnswer(None, Ending.ERROR, detail=_cut(hide(text)))
    key = said.get("key")
    key = key if isinstance(key, str) else None
    response = _mapping(said.get("response"))
    if not response:
        detail = json.dumps(said.get("error", "neither an answer nor an error"))
        return RawAnswer(key, Ending.ERROR, detail=_cut(hide(detail)))
    text = _text(response)
    ending, detail = _ending(response, text)
    model = response.get("modelVersion")
    return RawAnswer(
        key,
        ending,
        text=hide(text),
        detail=_cut(hide(detail)),
        usage=_usage(response),
        model=hide(model) if isinstance(model, str) else "",
    )


def _ending(response: Mapping[str, Any], text: str) -> tuple[Ending, str]:
    """Return how an answer ended, and the service's words for it."""
    blocked = _mapping(response.get("promptFeedback")).get("blockReason")
    candidate = _candidate(response)
    if blocked or not candidate:
        return Ending.REFUSED, f"the request is blocked: {blocked or 'no candidates'}"
    reason = str(candidate.get("finishReason", ""))
    detail = " ".join(filter(None, (reason, str(candidate.get("finishMessage", "")))))
    if reason == "MAX_TOKENS":
        return Ending.CUT, detail
    if reason in _REFUSALS:
        return Ending.REFUSED, detail
    if reason not in ("STOP", "FINISH_REASON_UNSPECIFIED", ""):
        return Ending.ERROR, detail
    if not text:
        return Ending.REFUSED, f"{detail or 'no finish reason'}, but no text"
    return Ending.COMPLETE, ""


def _text(response: Mapping[str, Any]) -> str:
    """Return what the model wrote, without its thoughts."""
    parts = _mapping(_candidate(response).get("content")).get("parts")
    texts = [
        part.get("text")
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict) and not part.get("thought")
    ]
    return "".join(text for text in texts if isinstance(text, str))


def _usage(response: Mapping[str, Any]) -> Usage:
    counted = _mapping(response.get("usageMetadata"))

    def tokens(name: str) -> int:
        value = counted.get(name)
        return value if isinstance(value, int) and value > 0 else 0

    return Usage(
        input_tokens=tokens("promptTokenCount"),
        output_tokens=tokens("candidatesTokenCount") + tokens("thoughtsTokenCount"),
    )


def _candidate(response: Mapping[str, Any]) -> Mapping[str, Any]:
    candidates = response.get("candidates")
    return _mapping(candidates[0]) if isinstance(candidates, list) and candidates else {}


def _cut(text: str) -> str:
    return masked(text, ())[:_LONGEST_DETAIL]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
