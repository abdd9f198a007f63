"""The teacher that runs here: `vllm run-batch`, which answers a file of requests into another.

A job is a folder of its name in the work folder:

    requests.jsonl   what is asked
    lock             there since the job was started; locked for as long as its process lives
    pid              the process group, for people: `kill -- -$(cat pid)` ends it
    log              what the command printed
    part.jsonl       its output under way
    answers.jsonl    its output, renamed by a shell around the command after exit code 0
    failed           any other exit code of the command, or 0 without an output
"""

import shutil
import subprocess
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from aslbatch.errors import ConfigError, TeacherError
from aslbatch.labeling.local_process import end, lives, start
from aslbatch.labeling.openai_requests import BATCH_LIMITS, ChatRequests, read_lines
from aslbatch.labeling.protocol import Ask, JobState, JobStatus, RawAnswer
from aslbatch.storage.insist import masked

_REQUESTS, _LOCK, _PID = "requests.jsonl", "lock", "pid"
_LOG, _PART, _ANSWERS, _FAILED = "log", "part.jsonl", "answers.jsonl", "failed"

_TAIL_BYTES = 600


class VllmBatch:
    """Answers files of requests with a process on this machine; see `BatchTeacher`.

    `close` ends the processes that this object started, and so does the end of the driver, if it
    ends in Python. After a kill -9 of the driver the process goes on, since its work would be
    lost with it: the next driver finds the job running, waits for it and takes its answers.

    Attributes:
        limits: As hosted services have them. vLLM has none, but what it loses when it dies, it
            loses for a whole file.
    """

    limits = BATCH_LIMITS

    def __init__(self, requests: ChatRequests, *, command: Sequence[str], folder: Path) -> None:
        """Prepare to ask; nothing is started.

        Args:
            requests: How requests are written; their model is its name on the Hub, or a folder.
            command: What is run, with `{input}`, `{output}` and `{model}` for two files and the
                model.
            folder: Where jobs are kept, on a local disk; made when needed.
        """
        self._requests, self._command = requests, tuple(command)
        self._folder = folder.absolute()
        self._started: list[subprocess.Popen[bytes]] = []
        weakref.finalize(self, end, self._started)

    def close(self) -> None:
        """End all processes that this object started; jobs that were running have then failed."""
        end(self._started)

    def check(self) -> None:
        """Look for the command; see `Teacher`.

        Raises:
            ConfigError: It is not there, or does not say where the files go.
        """
        program = self._command[0] if self._command else ""
        faults = [
            f"the command of the teacher has no {slot}: {' '.join(self._command)}"
            for slot in ("{input}", "{output}")
            if not any(slot in word for word in self._command)
        ]
        if not shutil.which(program):
            faults.append(
                f"the command of the teacher, {program!r}, is not on the PATH: install it, such as "
                "by pip install vllm, or name another"
            )
        if faults:
            raise ConfigError(faults)

    def count_tokens(self, asks: Sequence[Ask]) -> None:
        """Return None: nobody counts before the model is loaded."""
        return

    def line(self, ask: Ask) -> bytes:
        """Return a request as a line of a request file, with its line end."""
        return self._requests.line(ask)

    def upload(self, content: IO[bytes], name: str) -> str:
        """Copy a request file into the folder of a job; return the name of the copy.

        Raises:
            TeacherError: It cannot be written.
        """
        folder = self._of(name)
        under_way = folder / f"{_REQUESTS}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            content.seek(0)
            with under_way.open("wb") as copy:
                shutil.copyfileobj(content, copy)
            under_way.replace(folder / _REQUESTS)
        except OSError as error:
            raise TeacherError(
                f"{folder} cannot be written ({error}); set TMPDIR to a folder with room"
            ) from error
        return f"{name}/{_REQUESTS}"

    def create(self, file: str, name: str) -> str:
        """Start the process of a job, whose name it is; one that failed may be started again.

        One that is running, or has answers, is the same job: its name holds a hash of its requests.

        Raises:
            TeacherError: It cannot be started.
        """
        folder, requests = self._of(name), self._folder / file
        lock = folder / _LOCK
        if (folder / _ANSWERS).exists() or (lock.exists() and lives(lock)):
            return name
        if not requests.exists():
            raise TeacherError(f"job {name} has no file {requests}")
        slots = {
            "{input}": str(requests),
            "{output}": str(folder / _PART),
            "{model}": self._requests.model,
        }
        process = start(
            [_filled(word, slots) for word in self._command],
            lock=lock,
            pid=folder / _PID,
            log=folder / _LOG,
            part=folder / _PART,
            final=folder / _ANSWERS,
            failed=folder / _FAILED,
        )
        self._started.append(process)
        return name

    def find(self, name: str) -> list[str]:
        """Return the job of this name if it was ever started, also by an earlier driver."""
        return [name] if (self._of(name) / _LOCK).exists() else []

    def poll(self, job: str) -> JobStatus:
        """Return how far a job is; see `BatchTeacher`. A failed one says how its log ends."""
        folder = self._of(job)
        if not (folder / _LOCK).exists():
            return JobStatus(JobState.FAILED, f"{folder} is gone", has_answers=False)
        # In this order: between the two looks a process may end, and then it has its answers.
        is_running = lives(folder / _LOCK)
        if (folder / _ANSWERS).exists():
            return JobStatus(JobState.SUCCEEDED, "done", has_answers=True)
        has_failed = (folder / _FAILED).exists()
        if is_running and not has_failed:
            return JobStatus(JobState.RUNNING, "running", has_answers=False)
        said = f"ended without answers; {folder / _LOG} ends: {_tail(folder / _LOG)}"
        if is_running:
            said = f"left processes behind, which kill -- -$(cat {folder / _PID}) ends; {said}"
        return JobStatus(JobState.FAILED, said, has_answers=False)

    def fetch(self, job: str) -> Iterator[RawAnswer]:
        """Yield the answers of an ended job; see `BatchTeacher`."""
        try:
            with (self._of(job) / _ANSWERS).open("rb") as lines:
                yield from read_lines(lines)
        except FileNotFoundError:
            raise TeacherError(f"job {job} has no answers in {self._folder}") from None

    def release(self, job: str) -> None:
        """Remove the folder of a job whose answers are stored, and that of all when it is empty."""
        shutil.rmtree(self._of(job), ignore_errors=True)
        with suppress(OSError):
            self._folder.rmdir()

    def _of(self, name: str) -> Path:
        """Return the folder of a job."""
        if name in ("", "..") or Path(name).name != name:
            raise TeacherError(f"{name!r} is no name for a job: it has to be one for a folder too")
        return self._folder / name


def _filled(word: str, slots: dict[str, str]) -> str:
    """Return a word of the command; braces that are no slots, as in JSON, stay."""
    for slot, value in slots.items():
        word = word.replace(slot, value)
    return word


def _tail(log: Path) -> str:
    """Return the end of a log, on one line."""
    if not log.exists():
        return "(empty)"
    text = log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    return masked(" ".join(text.split()), ()) or "(empty)"
