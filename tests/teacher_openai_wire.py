"""The wire of OpenAI: files, batches, chats and models, as its official client sees them.

https://platform.openai.com/docs/api-reference/batch; also what `fake_vllm.py` asks, which stands in
for `vllm run-batch`. Paths may begin with `/v1`, as they do in base URLs of clients.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from teacher_faults import Answer, Asked, Kind
from teacher_http import Refused, Request, Response
from teacher_server import Job, TeacherServer, asked_of

RUN_BATCH = "/vllm/run-batch"
"""Where `fake_vllm.py` sends a file and gets another."""

_STATUS = {
    "QUEUED": "validating",
    "RUNNING": "in_progress",
    "SUCCEEDED": "completed",
    "PARTIALLY_SUCCEEDED": "completed",
    "FAILED": "failed",
    "EXPIRED": "expired",
    "CANCELLED": "cancelled",
}
_JSON = {"Content-Type": "application/json"}


class OpenAiWire:
    """See `teacher_server.Wire`; ids are `file-NAME` and `batch_NAME`."""

    def answer(self, server: TeacherServer, request: Request) -> Response:
        path = request.path.removeprefix("/v1")
        if path == RUN_BATCH:
            return _run_batch(server, request)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not server.authorize(key):
            # As some services do, it tells all that it was told.
            raise Refused(401, "invalid_api_key", f"Incorrect API key provided: {key}.")
        match request.method, *path.strip("/").split("/"):
            case "GET", "models":
                models = [{"id": name, "object": "model"} for name in server.models]
                return _json({"object": "list", "data": models})
            case "POST", "files":
                return _uploaded(server, request)
            case "GET", "files", file, "content":
                return _content(server, file)
            case "POST", "batches":
                return _created(server, json.loads(request.body))
            case "GET", "batches":
                return _listed(server, request.query)
            case "GET", "batches", batch:
                return _json(_batch(server, _known(server, batch, poll=True)))
            case "POST", "chat", "completions":
                return _chat(server, json.loads(request.body))
        raise Refused(404, "not_found", f"Unknown request URL: {request.method} {request.path}")

    def error(self, request: Request, status: int, reason: str, message: str) -> Response:
        error = {"message": message, "type": "error", "param": None, "code": reason.lower()}
        return _json({"error": error}, status)


def asked_in(server: TeacherServer, line: str) -> Asked:
    """Return the request on a line of a batch file.

    Raises:
        Refused: It is not as it has to be.
    """
    found = json.loads(line)
    if (found["method"], found["url"]) != ("POST", "/v1/chat/completions"):
        raise Refused(400, "invalid_url", "The URL of a line is not that of the batch.")
    return _asked(server, found["custom_id"], found["body"])


def output_lines(
    answers: Sequence[Answer], *, errors: bool, of_vllm: bool = False
) -> Iterator[str]:
    """Yield the lines of the output file, or of the file of errors, in which vLLM is different."""
    for number, answer in enumerate(answers):
        if errors is not (answer.kind is Kind.ERROR):
            continue
        status, body = completion(answer)
        response = {"status_code": status, "request_id": f"req_{number}", "body": body}
        line = {
            "id": f"batch_req_{number}",
            "custom_id": answer.key,
            "response": response,
            "error": None,
        }
        if errors and of_vllm:
            response["body"], line["error"] = None, body["error"]["message"]
        text = json.dumps(line, ensure_ascii=False)
        yield text[: len(text) * 2 // 3] if answer.kind is Kind.DAMAGED else text


def completion(answer: Answer) -> tuple[int, dict[str, Any]]:
    """Return status and body of an answer."""
    if answer.kind is Kind.ERROR:
        return 400, {"error": {"message": answer.detail, "type": "error", "code": "failed"}}
    content, refusal, finish = answer.text or None, None, "stop"
    if answer.kind is Kind.CUT:
        finish = "length"
    if answer.kind is Kind.REFUSED:  # in one of the three ways in which services do
        finish = "content_filter" if answer.detail == "SAFETY" else "stop"
        refusal = "I can't help with that." if answer.detail == "RECITATION" else None
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return 200, {
        "id": f"chatcmpl-{answer.key}",
        "object": "chat.completion",
        "created": 1,
        "model": f"{answer.model}-2026-01-02",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": answer.input_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens,
        },
    }


def _asked(server: TeacherServer, key: str, body: Mapping[str, Any]) -> Asked:
    if body["model"] not in server.models:
        raise Refused(404, "model_not_found", f"The model `{body['model']}` does not exist.")
    system, user = body["messages"]
    schema = body["response_format"]["json_schema"]
    if (system["role"], user["role"]) != ("system", "user"):
        raise Refused(400, "invalid_messages", "Not the messages of a teacher.")
    if not schema["strict"] or schema["schema"]["additionalProperties"] is not False:
        raise Refused(400, "invalid_schema", "A strict schema forbids additional properties.")
    if not body["max_completion_tokens"] > 0:
        raise Refused(400, "invalid_max", "The most tokens of an answer are more than none.")
    return asked_of(key, user["content"], body["model"], system["content"] + user["content"])


def _uploaded(server: TeacherServer, request: Request) -> Response:
    boundary = re.search(r"boundary=\"?([^\";]+)", request.headers["content-type"])
    parts = {}
    for part in request.body.split(f"--{boundary[1] if boundary else ''}".encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb' name="([^"]+)"', head)
        parts[name[1] if name else b""] = content.removesuffix(b"\r\n")
    if parts[b"purpose"] != b"batch":
        raise Refused(400, "invalid_purpose", "Only files for batches are taken.")
    name = server.add_file(parts[b"file"])
    size = len(parts[b"file"])
    return _json(
        {
            "id": f"file-{name}",
            "object": "file",
            "bytes": size,
            "created_at": 1,
            "filename": f"{name}.jsonl",
            "purpose": "batch",
            "status": "processed",
        }
    )


def _content(server: TeacherServer, file: str) -> Response:
    name, _, kind = file.removeprefix("file-").partition("-")
    if kind not in ("output", "error") or not server.jobs[name].is_over:
        raise Refused(404, "not_found", f"No such File object: {file}")
    lines = [*output_lines(server.jobs[name].answers, errors=kind == "error")]
    if kind == "error":
        lines += [_not_begun(server.jobs[name], one) for one in _unanswered(server.jobs[name])]
    return Response(
        "".join(f"{line}\n" for line in lines).encode(),
        headers={"Content-Type": "application/octet-stream"},
        is_download=True,
    )


def _unanswered(job: Job) -> list[Asked]:
    """Return the requests that a job did not get to before it ended."""
    answered = {answer.key for answer in job.answers}
    is_early = job.ending in ("EXPIRED", "CANCELLED")
    return [one for one in job.asked if is_early and one.key not in answered]


def _not_begun(job: Job, asked: Asked) -> str:
    code = f"batch_{_STATUS[job.state]}"
    error = {"code": code, "message": "This request could not be executed in time."}
    line = {"id": "batch_req_x", "custom_id": asked.key, "response": None, "error": error}
    return json.dumps(line)


def _created(server: TeacherServer, body: Mapping[str, Any]) -> Response:
    name = body["input_file_id"].removeprefix("file-")
    if (body["endpoint"], body["completion_window"]) != ("/v1/chat/completions", "24h"):
        raise Refused(400, "invalid_endpoint", "Only chats, and within 24h.")
    if name not in server.files:
        raise Refused(400, "invalid_file", f"No such File object: file-{name}")
    lines = server.files[name].decode().splitlines()
    asked = [asked_in(server, line) for line in lines]
    job = server.create_job(asked, body["metadata"]["name"], asked[0].model, name)
    return Response(json.dumps(_batch(server, job)).encode(), headers=_JSON, creates=True)


def _listed(server: TeacherServer, query: Mapping[str, str]) -> Response:
    """Return a page of the batches, latest first."""
    newest_first = [f"batch_{name}" for name in reversed(server.jobs)]
    start = newest_first.index(query["after"]) + 1 if "after" in query else 0
    page = newest_first[start : start + min(server.page_entries, int(query["limit"]))]
    data = [_batch(server, _known(server, name)) for name in page]
    has_more = start + len(page) < len(newest_first)
    return _json({"object": "list", "data": data, "has_more": has_more})


def _known(server: TeacherServer, batch: str, *, poll: bool = False) -> Job:
    name = batch.removeprefix("batch_")
    if name not in server.jobs:
        raise Refused(404, "not_found", f"No batch found with id '{batch}'.")
    return server.poll(name) if poll else server.jobs[name]


def _batch(server: TeacherServer, job: Job) -> dict[str, Any]:
    failed = sum(answer.kind is Kind.ERROR for answer in job.answers)
    done = len(job.answers) - failed
    batch: dict[str, Any] = {
        "id": f"batch_{job.name}",
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "created_at": 1 + job.number,
        "input_file_id": f"file-{job.file}",
        "status": _STATUS[job.state],
        "metadata": {"name": job.display_name},
        "request_counts": {"total": len(job.asked), "completed": 0, "failed": 0},
    }
    if job.is_over:
        batch["request_counts"].update(completed=done, failed=failed)
        batch["output_file_id"] = f"file-{job.name}-output" if done else None
        has_errors = failed or _unanswered(job)
        batch["error_file_id"] = f"file-{job.name}-error" if has_errors else None
    if job.is_over and job.ending == "FAILED":
        error = {"code": "token_limit_exceeded", "message": "Too many tokens are waiting."}
        batch["errors"] = {"object": "list", "data": [error]}
    return batch


def _chat(server: TeacherServer, body: Mapping[str, Any]) -> Response:
    status, completed = completion(server.answer_now(_asked(server, "1", body)))
    return _json(completed, status)


def _run_batch(server: TeacherServer, request: Request) -> Response:
    """Answer a whole file at once; a job that fails gets no answers, and must be run again."""
    asked = [asked_in(server, line) for line in request.body.decode().splitlines()]
    job = server.create_job(asked, "vllm", asked[0].model, "")
    if job.ending == "FAILED":
        raise Refused(500, "engine_dead", "EngineDeadError: CUDA out of memory")
    lines = [
        line
        for errors in (False, True)
        for line in output_lines(job.answers, errors=errors, of_vllm=True)
    ]
    return Response("".join(f"{line}\n" for line in lines).encode())


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body).encode(), status, _JSON)
