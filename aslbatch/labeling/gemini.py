"""The Batch API of Gemini, through google-genai: files of requests, jobs, files of answers."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from aslbatch.errors import BusyError, LostAnswerError, LostJobError, TeacherError
from aslbatch.labeling.gemini_client import GeminiClient
from aslbatch.labeling.gemini_faults import did_nothing, is_passing, status_of
from aslbatch.labeling.gemini_lines import gemini_schema, read_answer, request_line
from aslbatch.labeling.patience import GONE, asked_wait_s
from aslbatch.labeling.protocol import (
    ANSWER_SCHEMA,
    Ask,
    JobState,
    JobStatus,
    Limits,
    RawAnswer,
)
from aslbatch.labeling.scratch import room_told, scratch_file

if TYPE_CHECKING:
    from io import IOBase

    from google.genai.types import BatchJob, File

T = TypeVar("T")

_LISTED_AT_ONCE = 100

_STATES = {
    **dict.fromkeys(
        ("QUEUED", "PENDING", "RUNNING", "CANCELLING", "PAUSED", "UPDATING"), JobState.RUNNING
    ),
    "SUCCEEDED": JobState.SUCCEEDED,
    "PARTIALLY_SUCCEEDED": JobState.PARTIALLY_SUCCEEDED,
    "FAILED": JobState.FAILED,
    "CANCELLED": JobState.CANCELLED,
    "EXPIRED": JobState.EXPIRED,
}


class GeminiBatch:
    """A `BatchTeacher` that asks Gemini. Makes no connection before it is first called.

    Args:
        model: Id of the model.
        api_key: The key; None or blank is only noticed when the service is to be asked.
        key_name: The environment variable that holds the key, for messages.
        base_url: Where the service is; None for the public one, or `GOOGLE_GEMINI_BASE_URL`.
        temperature: Of sampling; None for the model's own.
        max_output_tokens: Most tokens of an answer, thoughts included.
        patience_s: Seconds for which passing faults are waited out; at most a minute of them in
            `check`, which a person waits for.
        first_wait_s: The most seconds before a call is repeated the first time.
    """

    # A file may have 2 GB. No most requests are documented; jobs of this size still end in a day.
    limits = Limits(max_requests=50_000, max_bytes=2_000_000_000)

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None,
        key_name: str,
        base_url: str | None,
        temperature: float | None,
        max_output_tokens: int,
        patience_s: float = 3600.0,
        first_wait_s: float = 1.0,
    ) -> None:
        self.model = model
        self._gemini = GeminiClient(
            api_key=api_key,
            key_name=key_name,
            base_url=base_url,
            patience_s=patience_s,
            first_wait_s=first_wait_s,
        )
        self._generation: dict[str, Any] = {
            "responseMimeType": "application/json",
            "responseSchema": gemini_schema(ANSWER_SCHEMA),
            "maxOutputTokens": max_output_tokens,
        }
        if temperature is not None:
            self._generation["temperature"] = temperature

    def check(self) -> None:
        """Ask for the model, see `Teacher.check`."""
        self._gemini.check(self.model)

    def count_tokens(self, asks: Sequence[Ask]) -> list[int] | None:
        """Return how many input tokens each request has, see `Teacher.count_tokens`.

        The service counts no system instructions, so these are counted as if a user wrote them.
        """
        counts = [self._tokens_of(ask) for ask in asks]
        return counts if all(counts) else None

    def line(self, ask: Ask) -> bytes:
        """Return a request as a line of a request file, with its line end."""
        return request_line(ask, self._generation)

    def upload(self, content: IO[bytes], name: str) -> str:
        """Send a request file, see `BatchTeacher.upload`."""
        api, what = self._gemini.api, f"does not take the file {name}"

        def send() -> "File":
            content.seek(0)
            return api.files.upload(
                file=cast("IOBase", content),
                config={"display_name": name, "mime_type": "jsonl"},
            )

        uploaded = self._gemini.ask(what, send)
        if not uploaded.name:
            raise TeacherError(f"Gemini at {self._gemini.endpoint} {what}: it gave it no name")
        return uploaded.name

    def create(self, file: str, name: str) -> str:
        """Start a job once, see `BatchTeacher.create`."""
        api, what = self._gemini.api, f"did not start the job {name}"

        def call() -> "BatchJob":
            try:
                return _with_new_states(
                    lambda: api.batches.create(
                        model=self.model, src=file, config={"display_name": name}
                    )
                )
            except Exception as error:
                if not did_nothing(error):
                    said = self._gemini.said(f"may have started the job {name}", error)
                    raise LostAnswerError(said) from self._gemini.unless_telling(error)
                if not is_passing(error):
                    raise
                busy = BusyError(self._gemini.said(what, error), asked_wait_s(error))
                raise busy from self._gemini.unless_telling(error)

        job = self._gemini.ask(what, call)
        if not job.name:
            raise LostAnswerError(f"Gemini at {self._gemini.endpoint} has not named the job {name}")
        return job.name

    def find(self, name: str) -> list[str]:
        """Return the jobs of this name of ours, latest first, see `BatchTeacher.find`."""
        api, what = self._gemini.api, f"does not list its jobs, to find {name}"
        found: list[BatchJob] = []
        config: Any = {"page_size": _LISTED_AT_ONCE}
        page = self._gemini.ask(
            what, lambda: _with_new_states(lambda: api.batches.list(config=config))
        )
        while True:
            found.extend(job for job in page.page if job.display_name == name and job.name)
            if not page.config.get("page_token"):
                break
            self._gemini.ask(what, lambda: _with_new_states(page.next_page))
        times = [job.create_time.timestamp() if job.create_time else 0.0 for job in found]
        latest_first = sorted(range(len(found)), key=times.__getitem__, reverse=True)
        return [str(found[index].name) for index in latest_first]

    def release(self, job: str) -> None:
        """Do nothing: the service deletes files after two days."""

    def close(self) -> None:
        """Do nothing: jobs go on where they are."""

    def poll(self, job: str) -> JobStatus:
        """Return how far a job is, see `BatchTeacher.poll`."""
        told = self._job(job)
        has_file = bool(told.dest and told.dest.file_name)
        # The client passes on the states that it does not know, with their prefix on the wire.
        word = str(told.state.value if told.state else "UNSPECIFIED")
        word = word.removeprefix("JOB_STATE_").removeprefix("BATCH_STATE_")
        state = _STATES.get(word)
        if state is None:
            is_over = told.end_time is not None
            ended = JobState.PARTIALLY_SUCCEEDED if has_file else JobState.FAILED
            state = ended if is_over else JobState.RUNNING
        return JobStatus(state, word, has_answers=state.is_final and has_file)

    def fetch(self, job: str) -> Iterator[RawAnswer]:
        """Yield the answers of an ended job, see `BatchTeacher.fetch`.

        Raises:
            LostJobError: The job has no answers, or they are gone.
            TeacherError: They cannot be had.
        """
        api, told = self._gemini.api, self._job(job)
        source = told.dest.file_name if told.dest else None
        if not source:
            raise LostJobError(f"Gemini at {self._gemini.endpoint} has no answers of {job}")
        with scratch_file() as answers:

            def download() -> None:
                answers.seek(0)
                answers.truncate()
                api.files.download(file=source, destination=cast("IOBase", answers))

            with room_told():
                self._known(f"does not send the answers of {job}", download)
                answers.seek(0)
            for line in answers:
                if line.strip():
                    yield read_answer(line, self._gemini.hide_key)

    def _tokens_of(self, ask: Ask) -> int:
        api = self._gemini.api
        contents: Any = [
            {"role": "user", "parts": [{"text": text}]} for text in (ask.system, ask.user)
        ]
        counted = self._gemini.ask(
            "does not count tokens",
            lambda: api.models.count_tokens(model=self.model, contents=contents),
        )
        return counted.total_tokens or 0

    def _job(self, job: str) -> "BatchJob":
        api = self._gemini.api
        return self._known(
            f"does not tell of {job}",
            lambda: _with_new_states(lambda: api.batches.get(name=job)),
        )

    def _known(self, what: str, call: Callable[[], T]) -> T:
        """Ask for something that must be there.

        Raises:
            LostJobError: It is not.
        """

        def ask() -> T:
            try:
                return call()
            except Exception as error:
                if status_of(error) not in GONE:
                    raise
                said = self._gemini.said(what, error)
                raise LostJobError(said) from self._gemini.unless_telling(error)

        return self._gemini.ask(what, ask)


def _with_new_states(call: Callable[[], T]) -> T:
    """Call the client, which warns of the states that it does not know: of most real ones."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* is not a valid JobState")
        return call()
