"""What a teacher is: a language model that is asked for glosses, whoever serves it."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, Any, Protocol

ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "source_hash": {"type": "string"},
        "gloss": {"type": "string"},
    },
    "required": ["id", "source_hash", "gloss"],
}
"""JSON Schema of an answer. The first two are echoed, so that an answer proves whose it is."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for one gloss.

    Attributes:
        key: Names the request among all of a run.
        source_hash: Hash of the text, see `aslbatch.provenance.hashing.source_hash`.
        system: The instructions, with the examples.
        user: The text to gloss, with what is to be echoed.
    """

    key: str
    source_hash: str
    system: str
    user: str


class Ending(StrEnum):
    """How an answer ended."""

    COMPLETE = "complete"
    CUT = "cut"
    """At the most tokens of an answer."""
    REFUSED = "refused"
    """Blocked, filtered or refused, an answer without text included."""
    ERROR = "error"
    """No answer but an error of the service."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a service has counted; answers that think count that as output."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return self + other * -1

    def __mul__(self, times: int) -> "Usage":
        return Usage(self.input_tokens * times, self.output_tokens * times)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a service returned for one request, before anything in it is believed.

    Attributes:
        key: Of the request, as the service says; None where a line has no readable one.
        ending: How it ended.
        text: What the model wrote; empty where it wrote nothing.
        detail: What the service said of an error or a refusal; the line itself where it is no JSON.
        usage: What was counted.
        model: The model as the service names it, such as one with its version; empty if unsaid.
        unsure: Times that the request was sent before, without an answer to tell whether it costs.
    """

    key: str | None
    ending: Ending
    text: str = ""
    detail: str = ""
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    unsure: int = 0


class JobState(StrEnum):
    """How far a batch job is, in the words of this project."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come."""
        return self is not JobState.RUNNING

    @property
    def is_done(self) -> bool:
        """Whether every request was taken up, by the service's word: one without answer failed."""
        return self in (JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED)


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What a service says of a job.

    Attributes:
        state: How far it is.
        detail: Its own word for that, and its error where it names one.
        has_answers: Whether there is something to fetch.
    """

    state: JobState
    detail: str
    has_answers: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a service takes in one job."""

    max_requests: int
    max_bytes: int


class Teacher(Protocol):
    """What every teacher can do."""

    def check(self) -> None:
        """Ask the service whether key and model are good, before anything is sent or paid for.

        Raises:
            ConfigError: The key is missing or refused, or there is no such model.
            TeacherError: The service cannot be asked.
        """

    def count_tokens(self, asks: Sequence[Ask]) -> list[int] | None:
        """Return how many input tokens each request has; None where the service does not count.

        Raises:
            TeacherError: The service cannot be asked.
        """


class BatchTeacher(Teacher, Protocol):
    """A service that takes files of requests and answers within a day or so.

    Where the key is refused, any call may raise ConfigError.

    All calls but `create` wait passing faults out (no connection, 408, 429, 5xx), for as long as
    `patience_s` of the teacher says, and raise TeacherError after that.
    """

    limits: Limits

    def line(self, ask: Ask) -> bytes:
        """Return a request as a line of a request file, with its line end."""

    def upload(self, content: IO[bytes], name: str) -> str:
        """Send a request file, all of it wherever it stands; costs nothing.

        Returns:
            What the service calls it.
        """

    def create(self, file: str, name: str) -> str:
        """Start a job over an uploaded file, once; this is what costs.

        Not repeated when the connection breaks, since the job may have been made, nor when the
        service has too much to do, since it is who asks whose jobs may have to end before.

        Args:
            file: What `upload` returned.
            name: The job's name of ours, by which `find` finds it.

        Returns:
            What the service calls the job.

        Raises:
            BusyError: It was not made, since the service takes no more now.
            LostAnswerError: Whether the job was made is not known.
            TeacherError: It was not made.
        """

    def find(self, name: str) -> list[str]:
        """Return what the service calls the jobs of this name of ours, latest first, if any."""

    def poll(self, job: str) -> JobStatus:
        """Return how far a job is.

        Raises:
            LostJobError: The service does not know it, perhaps any more.
            TeacherError: The service cannot be asked.
        """

    def fetch(self, job: str) -> Iterator[RawAnswer]:
        """Yield the answers of an ended job, in whatever order, damaged and foreign lines too.

        The whole file is there before the first is yielded: a broken download starts again.

        Raises:
            LostJobError: The answers are gone.
        """

    def release(self, job: str) -> None:
        """Let go of what was kept for a job whose answers are stored; may be called again."""

    def close(self) -> None:
        """End what must not outlive the process; jobs of a service elsewhere go on."""


class ChatTeacher(Teacher, Protocol):
    """A service that answers each request at once."""

    def answers(
        self, asks: Iterable[Ask], may_repeat: Callable[[Ask], bool]
    ) -> AsyncGenerator[RawAnswer, None]:
        """Yield the answer to each request as it comes, several asked at a time.

        Passing faults are waited out; a request that stays without answer yields one that ends
        with an error.

        Args:
            asks: The requests, one taken when it can be sent: what ends, ends the asking.
            may_repeat: Whether a request may be sent again, and paid for again, that may have been
                answered already.
        """
