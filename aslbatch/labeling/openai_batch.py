"""The teacher behind OpenAI's Batch API, or a service that has the same one."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import IO, TYPE_CHECKING, TypeAlias, TypeVar

from aslbatch.errors import BusyError, LostAnswerError, LostJobError, TeacherError
from aslbatch.labeling.openai_requests import (
    BATCH_ENDPOINT,
    BATCH_LIMITS,
    ChatRequests,
    read_lines,
)
from aslbatch.labeling.openai_service import (
    TOO_BUSY,
    OpenAiService,
    is_passing,
    openai_package,
    was_not_sent,
)
from aslbatch.labeling.patience import GONE, asked_wait_s
from aslbatch.labeling.protocol import Ask, JobState, JobStatus, RawAnswer

if TYPE_CHECKING:
    import openai
    from openai.pagination import SyncCursorPage
    from openai.types import Batch

T = TypeVar("T")

_Page: TypeAlias = "SyncCursorPage[Batch]"
_PAGE_ENTRIES = 100

_STATES = {
    "completed": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "expired": JobState.EXPIRED,
    "cancelled": JobState.CANCELLED,
}
"""States that are final; `completed` says nothing about how many requests failed."""


class OpenAiBatch:
    """Asks by files of requests, answered within 24 hours; see `BatchTeacher`.

    Attributes:
        limits: 50,000 requests and 200 MB in a file, as the hosted service has it. It also limits
            the tokens that an organization has waiting; a job past that fails with
            `token_limit_exceeded`.
    """

    limits = BATCH_LIMITS

    def __init__(self, requests: ChatRequests, service: OpenAiService) -> None:
        """Prepare to ask; nothing is sent.

        Args:
            requests: How requests are written.
            service: Where they go.
        """
        self._requests, self._service = requests, service

    def __repr__(self) -> str:
        return f"OpenAiBatch({self._service!r})"

    @cached_property
    def _client(self) -> "openai.OpenAI":
        return self._service.client()

    def check(self) -> None:
        """Ask whether key and model are good; see `Teacher`."""
        self._service.check(self._client)

    def count_tokens(self, asks: Sequence[Ask]) -> None:
        """Return None: the service does not count."""
        return

    def line(self, ask: Ask) -> bytes:
        """Return a request as a line of a request file, with its line end."""
        return self._requests.line(ask)

    def upload(self, content: IO[bytes], name: str) -> str:
        """Send a request file; see `BatchTeacher`. One sent twice costs nothing."""

        def send() -> str:
            content.seek(0)
            return _id_of(
                self._client.files.create(file=(f"{name}.jsonl", content), purpose="batch")
            )

        return self._service.ask(send)

    def create(self, file: str, name: str) -> str:
        """Start a job over an uploaded file; see `BatchTeacher`.

        Whatever goes wrong after sending may have made the job, unless the service refuses it.
        """
        try:
            return _id_of(
                self._client.batches.create(
                    input_file_id=file,
                    endpoint=BATCH_ENDPOINT,  # type: ignore[arg-type]
                    completion_window="24h",
                    metadata={"name": name},
                )
            )
        except (openai_package().OpenAIError, ValueError) as error:
            said = f"job {name!r}: {self._service.explain(error)}"
            if _made_nothing(error):
                raise BusyError(said, asked_wait_s(error)) from None
            status = getattr(error, "status_code", None)
            if status is not None and 400 <= status < 500 and status != 408:
                raise TeacherError(said) from None
            raise LostAnswerError(f"{said}; whether it was made is not known") from None

    def find(self, name: str) -> list[str]:
        """Return the ids of the batches with this name in their metadata, latest first."""
        page = self._page(lambda: self._client.batches.list(limit=_PAGE_ENTRIES))
        found: list[Batch] = []
        while True:
            found += [one for one in page.data if (one.metadata or {}).get("name") == name]
            if not page.data or not page.has_next_page():
                break
            page = self._page(page.get_next_page)
        return [one.id for one in sorted(found, key=lambda one: -one.created_at)]

    def release(self, job: str) -> None:
        """Do nothing: files of the service are the account's."""

    def close(self) -> None:
        """Do nothing: jobs go on where they are."""

    def poll(self, job: str) -> JobStatus:
        """Return how far a job is; see `BatchTeacher`."""
        batch = self._retrieve(job)
        return JobStatus(
            _STATES.get(batch.status, JobState.RUNNING),
            self._service.masked(_in_words(batch)),
            bool(batch.output_file_id or batch.error_file_id),
        )

    def fetch(self, job: str) -> Iterator[RawAnswer]:
        """Yield the answers of both files of a job, that of errors too; see `BatchTeacher`.

        Raises:
            LostJobError: A file is gone.
        """
        batch = self._retrieve(job)
        names = [name for name in (batch.output_file_id, batch.error_file_id) if name]
        for content in [self._download(name) for name in names]:
            yield from read_lines(io.BytesIO(content), self._service.hide)

    def _page(self, get: Callable[[], _Page]) -> _Page:
        def ask() -> "_Page":
            page = get()
            if not isinstance(getattr(page, "data", None), list):
                raise ValueError(f"a page without entries: {str(page)[:100]}")  # noqa: TRY004
            return page

        return self._service.ask(ask)

    def _retrieve(self, job: str) -> "Batch":
        def ask() -> "Batch":
            batch = self._client.batches.retrieve(job)
            _id_of(batch)
            return batch

        return self._known(f"job {job}", ask)

    def _download(self, file: str) -> bytes:
        return self._known(f"answers {file}", lambda: self._client.files.content(file).read())

    def _known(self, what: str, call: Callable[[], T]) -> T:
        """Ask for something that must be there.

        Raises:
            LostJobError: It is not.
        """

        def ask() -> T:
            try:
                return call()
            except openai_package().APIStatusError as error:
                if error.status_code not in GONE:
                    raise
                raise LostJobError(f"{what}: {self._service.explain(error)}") from None

        return self._service.ask(ask)


def _id_of(answer: object) -> str:
    """Return the id of something; an answer of the client without one is a page of some proxy."""
    found = getattr(answer, "id", None)
    if not isinstance(found, str) or not found:
        raise ValueError(f"an answer without id: {str(answer)[:100]}")
    return found


def _made_nothing(error: Exception) -> bool:
    status = getattr(error, "status_code", None)
    return was_not_sent(error) or (status in TOO_BUSY and is_passing(error))


def _in_words(batch: "Batch") -> str:
    """Return what a service says of a job, in one line."""
    counts = batch.request_counts
    words: list[str] = [batch.status]
    if counts:
        words.append(f"{counts.completed} of {counts.total} requests done, {counts.failed} failed")
    errors = (batch.errors.data if batch.errors else None) or []
    words += [f"{error.code}: {error.message}" for error in errors[:3]]
    return " ".join("; ".join(words).split())
