"""Gemini's wire format for the tests' teacher, as far as batches need it, on `/v1` and `/v1beta`.

Written from the clients' side: https://ai.google.dev/api and `google.genai`.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from teacher_faults import Answer, Asked, Kind
from teacher_http import Refused, Request, Response
from teacher_server import Job, TeacherServer, asked_of, count_tokens

_ENDED = {"SUCCEEDED", "FAILED", "EXPIRED", "PARTIALLY_SUCCEEDED", "CANCELLED"}


class GeminiWire:
    """Uploads, batches, downloads, models and token counts, under an API key in a header."""

    def __init__(self) -> None:
        self._uploads: dict[str, bytearray] = {}
        self._lock = threading.Lock()
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
            (method, re.compile(rf"(?:/upload)?/v1(?:beta)?/{path}"), function)
            for method, path, function in (
                ("POST", "files", self._upload),
                ("POST", "models/([^/:]+):batchGenerateContent", self._create),
                ("POST", "models/([^/:]+):countTokens", self._count_tokens),
                ("GET", "models/([^/:]+)", self._model),
                ("GET", "batches", self._list),
                ("GET", "batches/([^/:]+)", self._get),
                ("GET", "files/([^/:]+):download", self._download),
            )
        ]

    def answer(self, server: TeacherServer, request: Request) -> Response:
        """Answer a request, see `Wire`."""
        for method, path, function in self._routes:
            match = path.fullmatch(request.path)
            if match and method == request.method:
                if "upload_id" not in request.query:
                    _authorize(server, request)
                return function(server, request, *match.groups())
        raise Refused(404, "NOT_FOUND", f"no route {request.method} {request.path}")

    def error(self, request: Request, status: int, reason: str, message: str) -> Response:
        """Return an error as Google's services write it, see `Wire`."""
        details = []
        if reason == "API_KEY_INVALID":
            about = "type.googleapis.com/google.rpc.ErrorInfo"
            details, reason = [{"@type": about, "reason": reason}], "INVALID_ARGUMENT"
        error = {"code": status, "message": message, "status": reason, "details": details}
        response = _json({"error": error}, status)
        if "upload_id" not in request.query:
            return response
        # Without this header the client itself would wait 7 s, and then say the same.
        return Response(
            response.body, status, {**response.headers, "X-Goog-Upload-Status": "cancelled"}
        )

    def _upload(self, server: TeacherServer, request: Request) -> Response:
        command = request.headers["x-goog-upload-command"]
        if command == "start":
            assert request.headers["x-goog-upload-protocol"] == "resumable"
            upload_id = server.name_of(request.body)
            self._uploads[upload_id] = bytearray()
            url = f"{server.url}{request.path}?upload_id={upload_id}&upload_protocol=resumable"
            return _json({}, headers={"X-Goog-Upload-URL": url, "X-Goog-Upload-Status": "active"})
        with self._lock:
            received = self._uploads[request.query["upload_id"]]
            if int(request.headers["x-goog-upload-offset"]) != len(received):
                raise Refused(400, "INVALID_ARGUMENT", "a piece at the wrong place")
            received += request.body
        if "finalize" not in command:
            return _json({}, headers={"X-Goog-Upload-Status": "active"})
        name = server.add_file(bytes(received))
        file = {"name": f"files/{name}", "sizeBytes": str(len(received)), "state": "ACTIVE"}
        return _json({"file": file}, headers={"X-Goog-Upload-Status": "final"})

    def _create(self, server: TeacherServer, request: Request, model: str) -> Response:
        _known(server, model)
        batch = json.loads(request.body)["batch"]
        file = batch["inputConfig"]["fileName"].removeprefix("files/")
        if file not in server.files:
            raise Refused(403, "PERMISSION_DENIED", f"no file {file}, or not yours")
        asked = [_asked(line, model) for line in server.files[file].splitlines()]
        job = server.create_job(asked, batch["displayName"], model, file)
        return _json(_told(job), creates=True)

    def _get(self, server: TeacherServer, _: Request, name: str) -> Response:
        if name not in server.jobs:
            raise Refused(404, "NOT_FOUND", f"no batch {name}")
        return _json(_told(server.poll(name)))

    def _list(self, server: TeacherServer, request: Request) -> Response:
        with server.lock:
            jobs = list(server.jobs.values())[::-1]
        start = int(request.query.get("pageToken") or 0)
        end = start + min(int(request.query.get("pageSize") or 50), server.page_entries)
        listing: dict[str, Any] = {"operations": [_told(job) for job in jobs[start:end]]}
        if end < len(jobs):
            listing["nextPageToken"] = str(end)
        return _json(listing)

    def _download(self, server: TeacherServer, request: Request, name: str) -> Response:
        job = server.jobs.get(name.removeprefix("batch-"))
        if request.query.get("alt") != "media" or job is None or not job.is_over:
            raise Refused(404, "NOT_FOUND", f"no file {name} to be downloaded")
        lines = [answer_line(answer) for answer in job.answers]
        return Response(b"".join(lines), headers={"Content-Type": "x"}, is_download=True)

    def _model(self, server: TeacherServer, _: Request, model: str) -> Response:
        _known(server, model)
        return _json({"name": f"models/{model}", "inputTokenLimit": 1_000_000})

    def _count_tokens(self, server: TeacherServer, request: Request, model: str) -> Response:
        _known(server, model)
        contents = json.loads(request.body)["contents"]
        texts = [part["text"] for content in contents for part in content["parts"]]
        return _json({"totalTokens": count_tokens("".join(texts))})


def _authorize(server: TeacherServer, request: Request) -> None:
    key = request.headers.get("x-goog-api-key")
    if key is None:
        raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
    if not server.authorize(key):
        # The real one does not say the key, but a proxy on the way may.
        message = f"API key not valid: {key}. Please pass a valid API key."
        raise Refused(400, "API_KEY_INVALID", message)


def _known(server: TeacherServer, model: str) -> None:
    if model not in server.models:
        message = f"models/{model} is not found for API version v1, or is not supported"
        raise Refused(404, "NOT_FOUND", message)


def _asked(line: bytes, model: str) -> Asked:
    """Read a line of a request file as strictly as the real service should."""
    said = json.loads(line)
    request = said["request"]
    if set(said) != {"key", "request"} or set(request) - {
        "contents",
        "systemInstruction",
        "generationConfig",
    }:
        raise Refused(400, "INVALID_ARGUMENT", f"unknown names on a line: {line[:200]!r}")
    generation = request["generationConfig"]
    schema = generation["responseSchema"]
    types = [schema["type"], *(of["type"] for of in schema["properties"].values())]
    if generation["responseMimeType"] != "application/json" or types != ["OBJECT"] + 3 * ["STRING"]:
        raise Refused(400, "INVALID_ARGUMENT", f"no such schema: {schema}")
    user = request["contents"][0]["parts"][0]["text"]
    system = request["systemInstruction"]["parts"][0]["text"]
    return asked_of(said["key"], user, model, prompt=system + user)


def _told(job: Job) -> dict[str, Any]:
    """Return a batch as it is told: a long-running operation."""
    metadata: dict[str, Any] = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1.GenerateContentBatch",
        "model": f"models/{job.model}",
        "displayName": job.display_name,
        "name": f"batches/{job.name}",
        "createTime": f"2026-01-02T03:{job.number // 60:02}:{job.number % 60:02}.678Z",
        "inputConfig": {"fileName": f"files/{job.file}"},
        "state": f"BATCH_STATE_{job.state}",
    }
    told: dict[str, Any] = {"name": f"batches/{job.name}", "metadata": metadata}
    if job.state in _ENDED:
        told["done"] = True
        metadata["endTime"] = "2026-01-02T04:05:06.789Z"
        if job.answers:
            metadata["output"] = {"responsesFile": f"files/batch-{job.name}"}
    return told


def answer_line(answer: Answer) -> bytes:
    """Return an answer as a line of an answer file."""
    if answer.kind is Kind.ERROR:
        error = {"code": 13, "message": answer.detail}
        return json.dumps({"key": answer.key, "error": error}).encode() + b"\n"
    thoughts = answer.output_tokens // 3
    response = {
        **_candidates(answer),
        "usageMetadata": {
            "promptTokenCount": answer.input_tokens,
            "candidatesTokenCount": answer.output_tokens - thoughts,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": answer.input_tokens + answer.output_tokens,
        },
        "modelVersion": answer.model,
    }
    line = json.dumps({"key": answer.key, "response": response}, ensure_ascii=False).encode()
    return (line[: len(line) // 2] if answer.kind is Kind.DAMAGED else line) + b"\n"


def _candidates(answer: Answer) -> dict[str, Any]:
    """Return the candidates of an answer, or how it is told that there are none."""
    if answer.kind is Kind.REFUSED and answer.detail == "PROHIBITED_CONTENT":
        return {"promptFeedback": {"blockReason": answer.detail}}
    if answer.kind is Kind.REFUSED:
        return {"candidates": [{"finishReason": answer.detail, "index": 0}]}
    reason = "MAX_TOKENS" if answer.kind is Kind.CUT else "STOP"
    parts = [{"text": "I think.", "thought": True}, {"text": answer.text}]
    content = {"parts": parts, "role": "model"}
    return {"candidates": [{"content": content, "finishReason": reason, "index": 0}]}


def _json(
    value: object,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    creates: bool = False,
) -> Response:
    typed = {"Content-Type": "application/json; charset=UTF-8"} | dict(headers or {})
    return Response(json.dumps(value).encode(), status, typed, creates=creates)
