"""A teacher on the loopback: what services of batches and of chats share, whatever their wire.

It knows the true gloss of every text, goes wrong as `Faults` say, and keeps a ledger of what it
was paid for. How requests and answers look is the matter of a `Wire`.
"""

import hashlib
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from teacher_faults import (
    Answer,
    Asked,
    Faults,
    Kind,
    as_json,
    failed,
    reordered,
    repeated,
    spoiled,
    with_keys_swapped,
)
from teacher_http import HttpServer, Refused, Request, Response

API_KEY = "PLANTED-TEACHER-KEY-51c9e0"
MODEL = "teacher-1"

_WORD = re.compile(r"[A-Za-z0-9]+")
_LEFT_OUT = {"A", "AN", "THE", "IS", "ARE", "AM", "BE", "OF", "TO"}


def true_gloss(text: str) -> str:
    """Return the one right gloss of a text: its words upper-cased, the last one first."""
    words = [word.upper() for word in _WORD.findall(text)]
    kept = [word for word in words if word not in _LEFT_OUT] or words or ["IX"]
    return " ".join([kept[-1], *kept[:-1]])


def count_tokens(text: str) -> int:
    """Return how many tokens this teacher sees in a text."""
    return -(-len(text) // 4)


def asked_of(key: str, user: str, model: str, prompt: str) -> Asked:
    """Return a request of which the user's message was found.

    Args:
        key: What the wire calls the request.
        user: The user's message, JSON on one line.
        model: The model asked.
        prompt: All text of the request, for its tokens.

    Raises:
        Refused: The message is not what all teachers are sent.
    """
    try:
        said = json.loads(user)
    except ValueError:
        said = None
    if "\n" in user or not isinstance(said, dict) or set(said) != {"id", "source_hash", "text"}:
        raise Refused(400, "INVALID_ARGUMENT", f"no such request: {user[:100]}")
    return Asked(key, said["source_hash"], said["id"], said["text"], model, count_tokens(prompt))


class Wire(Protocol):
    """A wire format: routes, and how things look there."""

    def answer(self, server: "TeacherServer", request: Request) -> Response:
        """Answer a request.

        Raises:
            Refused: It cannot be done, or there is no such route.
        """

    def error(self, request: Request, status: int, reason: str, message: str) -> Response:
        """Return an error as clients of this wire expect it."""


@dataclass
class Job:
    """A batch job; `number` counts those of the server, from 0.

    `state` is the last that was told: QUEUED, RUNNING, then `ending`.
    """

    name: str
    number: int
    display_name: str
    model: str
    file: str
    asked: tuple[Asked, ...]
    ending: str
    answers: tuple[Answer, ...]
    state: str = "QUEUED"
    polls: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, as was told."""
        return self.state == self.ending


class TeacherServer:
    """A teacher on a free port of the loopback.

    Attributes:
        faults: What goes wrong; may be replaced at any time.
        api_key: The key that wires check with `authorize`.
        models: The models that there are.
        files: What was uploaded, by name.
        jobs: Every job that was made, by name, in order.
        paid: How often each text was answered or charged, by source hash.
        faulty: How many of these answers were spoiled on purpose, by source hash.
        faulty_as: The same by fault, then by source hash; faults of jobs by their names too.
        happened: How often each fault of jobs and of HTTP happened.
        requests: Method and path of everything that was asked.
        polls_to_end: With which poll a job is over.
        page_entries: Entries of a listing on one page.
        most_waiting: Jobs that are not over, at which no more are taken; None for any number.
        watch: Is called with each request, and again with its answer before that is sent; raises
            ConnectionError to cut the connection instead.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        truth: Callable[[str], str] = true_gloss,
        faults: Faults | None = None,
        api_key: str = API_KEY,
        models: Sequence[str] = (MODEL,),
    ) -> None:
        self.truth, self.api_key, self.models = truth, api_key, tuple(models)
        self.faults = faults or Faults()
        self.wire = wire
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, Job] = {}
        self.paid: Counter[str] = Counter()
        self.faulty: Counter[str] = Counter()
        self.faulty_as: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.happened: Counter[str] = Counter()
        self.requests: list[tuple[str, str]] = []
        self.polls_to_end = 3
        self.page_entries = 2
        self.most_waiting: int | None = None
        self.watch: Callable[[Request, Response | None], None] = lambda *_: None
        self.lock = threading.RLock()
        self._attempts: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()
        self._server = HttpServer(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["TeacherServer"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def authorize(self, key: str | None) -> bool:
        """Return whether a key is the right one."""
        return key == self.api_key

    def add_file(self, content: bytes) -> str:
        """Keep an uploaded file and return its name, see `name_of`."""
        with self.lock:
            name = self.name_of(content)
            self.files[name] = content
        return name

    def create_job(self, asked: Sequence[Asked], display_name: str, model: str, file: str) -> Job:
        """Make a job, which is answered and charged at once, whatever clients are told."""
        with self.lock:
            waiting = sum(not job.is_over for job in self.jobs.values())
            if self.most_waiting is not None and waiting >= self.most_waiting:
                self.happened["no_room"] += 1
                raise Refused(429, "RESOURCE_EXHAUSTED", "too much is waiting")
            attempts = [self._attempt(one) for one in asked]
            subject = [f"{one.source_hash}:{n}" for one, n in zip(asked, attempts, strict=True)]
            name = self.name_of("\n".join(sorted(subject)).encode())
            fault = self.faults.pick("job", *sorted(subject))
            self.happened.update([fault] if fault else [])
            answers = self._answers(list(zip(asked, attempts, strict=True)), fault)
            if self.faults.on:
                answers = reordered(answers, name)
            ending = _ENDINGS.get(fault or "", "SUCCEEDED")
            job = Job(
                name,
                len(self.jobs),
                display_name,
                model,
                file,
                tuple(asked),
                ending,
                tuple(answers),
            )
            self.jobs[name] = job
        return job

    def poll(self, name: str) -> Job:
        """Return a job one step further on its way.

        Raises:
            KeyError: There is none of this name.
        """
        with self.lock:
            job = self.jobs[name]
            job.polls += 1
            if job.polls >= self.polls_to_end:
                job.state = job.ending
            elif job.polls > 1:
                job.state = "RUNNING"
        return job

    def answer_now(self, asked: Asked) -> Answer:
        """Return the answer to a request of a chat, and charge it."""
        with self.lock:
            attempt = self._attempt(asked)
            fault = self._fault_of(asked, attempt)
            if fault in ("swapped_keys", "missing_lines", "repeated_lines", "damaged_lines"):
                fault = None
            self._charge(asked, fault)
        share = self.faults.draw("share", asked.source_hash, attempt)
        good, gloss = self._good(asked), self.truth(asked.text)
        return (spoiled(good, asked, gloss, fault, share) if fault else None) or good

    def _answers(
        self, requests: Sequence[tuple[Asked, int]], job_fault: str | None
    ) -> Sequence[Answer]:
        """Return the lines of a job, in the order asked, and charge what it has taken up."""
        answers: list[Answer] = []
        swapped: list[int] = []
        more: list[Answer] = []
        for asked, attempt in requests:
            share = self.faults.draw("share", asked.source_hash, attempt)
            in_part = self.faults.draw("part", asked.source_hash, attempt) < 0.5
            if job_fault == "failed" or (in_part and job_fault in ("expired", "cancelled")):
                continue
            good, gloss = self._good(asked), self.truth(asked.text)
            if job_fault == "all_failed" or (in_part and job_fault == "partial"):
                self._charge(asked, job_fault)
                answers.append(failed(good))
                continue
            fault = self._fault_of(asked, attempt)
            if fault == "swapped_keys":
                swapped.append(len(answers))
                answers.append(good)
                continue
            self._charge(asked, fault)
            if fault == "repeated_lines":
                more.append(repeated(good, asked, gloss, share))
            answer = spoiled(good, asked, gloss, fault, share) if fault else good
            answers.extend([answer] if answer else [])
        return [*self._swapped(answers, swapped, [one for one, _ in requests]), *more]

    def _swapped(
        self, answers: list[Answer], chosen: list[int], asked: Sequence[Asked]
    ) -> Sequence[Answer]:
        """Swap the keys of the answers chosen; one alone has none to swap with, and stays good."""
        by_key = {one.key: one for one in asked}
        for index in chosen:
            self._charge(by_key[answers[index].key], "swapped_keys" if len(chosen) > 1 else None)
        return with_keys_swapped(answers, chosen) if len(chosen) > 1 else answers

    def _good(self, asked: Asked) -> Answer:
        text = as_json(asked, self.truth(asked.text))
        return Answer(
            asked.key, Kind.ANSWER, text, asked.model, asked.input_tokens, count_tokens(text)
        )

    def _fault_of(self, asked: Asked, attempt: int) -> str | None:
        return self.faults.pick("text", asked.source_hash) or self.faults.pick(
            "answer", asked.source_hash, attempt
        )

    def _attempt(self, asked: Asked) -> int:
        self._attempts[asked.source_hash] += 1
        return self._attempts[asked.source_hash]

    def _charge(self, asked: Asked, fault: str | None) -> None:
        self.paid[asked.source_hash] += 1
        if fault:
            self.faulty[asked.source_hash] += 1
            self.faulty_as[fault][asked.source_hash] += 1

    def name_of(self, content: bytes) -> str:
        """Return a name, `[a-z0-9]+`, that only a content decides, and how often it came before."""
        digest = hashlib.blake2b(content, digest_size=8).hexdigest()
        with self.lock:
            self._seen[digest] += 1
            return f"{digest}{self._seen[digest]}"

    def http_fault(self, of: str, request: Request) -> str | None:
        """Return the fault that befalls a request, if any, and count it."""
        digest = hashlib.blake2b(request.body, digest_size=8).hexdigest()
        subject = f"{of} {request.method} {request.path} {digest}"
        with self.lock:
            self._seen[subject] += 1
            fault = self.faults.pick(of, subject, self._seen[subject])
            self.happened.update([fault] if fault else [])
        return fault

    def respond(self, request: Request) -> Response:
        """Return the answer of the wire, errors included."""
        with self.lock:
            self.requests.append((request.method, request.path))
        self.watch(request, None)
        try:
            response = self.wire.answer(self, request)
        except Refused as refused:
            response = self.wire.error(request, refused.status, refused.reason, refused.message)
        self.watch(request, response)
        return response

    def overloaded(self, request: Request, fault: str) -> Response:
        """Return the answer of a service that has too much to do."""
        status, reason = _OVERLOADED[fault]
        response = self.wire.error(request, status, reason, "Try again later.")
        later = {"Retry-After": str(self.faults.retry_after_s)}
        return Response(response.body, status, {**response.headers, **later})


_ENDINGS = {
    "expired": "EXPIRED",
    "partial": "PARTIALLY_SUCCEEDED",
    "cancelled": "CANCELLED",
    "failed": "FAILED",
}
_OVERLOADED = {
    "too_many_requests": (429, "RESOURCE_EXHAUSTED"),
    "unavailable": (503, "UNAVAILABLE"),
}
