"""What a teacher was asked and what it answered, in the output folder: nothing paid for is lost.

    questions.parquet       every text that is asked for, once; written before anything is asked
    jobs/000001.json        a batch job: `planned` before it is created, then `created`, `ended`
    answers/000001.parquet  what came of its requests, written once, before the job counts as ended

A process that is killed leaves at most one job of which it is not known whether it was created:
one that is `planned`. The service is asked for jobs of its name before another is made.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from aslbatch.errors import SinkError
from aslbatch.labeling.answers import Outcome
from aslbatch.labeling.protocol import Usage
from aslbatch.shards.parquet_bytes import table_from_parquet, table_to_parquet
from aslbatch.storage.folder import Storage

QUESTIONS = "questions.parquet"
JOBS = "jobs"
ANSWERS = "answers"

PLANNED, CREATED, ENDED = "planned", "created", "ended"

QUESTION_COLUMNS = pa.schema([("source_hash", pa.string()), ("text", pa.string())])
ANSWER_COLUMNS = pa.schema(
    [
        ("source_hash", pa.string()),
        ("gloss", pa.string()),
        ("failure", pa.string()),
        ("detail", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("model", pa.string()),
        ("job", pa.string()),
        ("answered_on", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Job:
    """A batch job.

    Attributes:
        number: Of all jobs of a run, from 1.
        name: Its name of ours, by which the service finds it.
        hashes: `source_hash` of each text that is asked for, in the order of the request file.
        request_sha256: SHA-256 of the request file.
        worst_cost: The most that it can cost, a decimal number; 0 without prices.
        state: `planned`, `created` or `ended`.
        job: What the service calls it, None before it is created.
        created_on: The day, UTC, in ISO 8601.
        ending: The service's last word on it, empty before it ended.
        stray_usage: What was counted for lines that belong to none of its requests.
        possible_orphans: Why another job of this name may be paid for and not used, for people.
    """

    number: int
    name: str
    hashes: tuple[str, ...]
    request_sha256: str
    worst_cost: str
    state: str = PLANNED
    job: str | None = None
    created_on: str = ""
    ending: str = ""
    stray_usage: Usage = field(default_factory=Usage)
    possible_orphans: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether its answers are stored, and it is waited for no longer."""
        return self.state == ENDED

    @property
    def stem(self) -> str:
        """Stem of the names of its files."""
        return f"{self.number:06d}"


class Journal:
    """The folder of a run in which it keeps what was asked and answered."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def uri(self) -> str:
        """Where it lies."""
        return self._storage.uri

    def has_questions(self) -> bool:
        """Return whether it is known which texts are asked for."""
        return self._storage.exists(QUESTIONS)

    def questions(self) -> pa.Table | None:
        """Return the texts that are asked for, None before they are known.

        Raises:
            SinkError: The file is damaged.
        """
        if not self.has_questions():
            return None
        return self._table(QUESTIONS, QUESTION_COLUMNS)

    def keep_questions(self, questions: pa.Table) -> None:
        """Store the texts that are asked for, once."""
        self._storage.publish_new(QUESTIONS, table_to_parquet(questions, compression="zstd"))

    def jobs(self) -> list[Job]:
        """Return all batch jobs, by number.

        Raises:
            SinkError: A record is damaged.
        """
        return [self._job(f"{JOBS}/{name}") for name in self._storage.names(JOBS)]

    def write(self, job: Job) -> Job:
        """Store a job's record in place of its last one, and return it."""
        data = json.dumps(asdict(job), indent=1).encode()
        self._storage.publish(f"{JOBS}/{job.stem}.json", data)
        return job

    def keep_answers(
        self, stem: str, outcomes: Iterable[Outcome], *, job: str, day: str
    ) -> pa.Table:
        """Store what came of requests, once.

        Args:
            stem: Name of the file, which no other answers have.
            outcomes: One a request.
            job: The service's name for the job; empty for chats.
            day: When, UTC, in ISO 8601.

        Returns:
            The answers that are stored under this name.
        """
        rows = [
            {
                "source_hash": each.source_hash,
                "gloss": each.gloss,
                "failure": None if each.failure is None else each.failure.value,
                "detail": each.detail,
                "input_tokens": each.usage.input_tokens,
                "output_tokens": each.usage.output_tokens,
                "model": each.model,
                "job": job,
                "answered_on": day,
            }
            for each in outcomes
        ]
        table = pa.Table.from_pylist(rows, ANSWER_COLUMNS)
        data = table_to_parquet(table, compression="zstd")
        is_new = self._storage.publish_new(f"{ANSWERS}/{stem}.parquet", data)
        return table if is_new else self.answers(stem)

    def has_answers(self, stem: str) -> bool:
        """Return whether answers of this name are stored."""
        return self._storage.exists(f"{ANSWERS}/{stem}.parquet")

    def answers(self, stem: str) -> pa.Table:
        """Return stored answers.

        Raises:
            SinkError: They are damaged.
        """
        return self._table(f"{ANSWERS}/{stem}.parquet", ANSWER_COLUMNS)

    def answered(self) -> list[str]:
        """Return the stems of all stored answers, sorted."""
        return [name.removesuffix(".parquet") for name in self._storage.names(ANSWERS)]

    def _table(self, name: str, columns: pa.Schema) -> pa.Table:
        try:
            return table_from_parquet(self._storage.read(name), columns)
        except (pa.ArrowException, ValueError) as error:
            raise SinkError(
                f"{self.uri}/{name} is damaged ({error}); restore it: it holds what was paid for"
            ) from error

    def _job(self, name: str) -> Job:
        try:
            fields = json.loads(self._storage.read(name))
            for key in ("hashes", "possible_orphans"):
                fields[key] = tuple(fields[key])
            fields["stray_usage"] = Usage(**fields["stray_usage"])
            return Job(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise SinkError(
                f"{self.uri}/{name} is damaged ({error}); restore it: it says which job was paid "
                f"for"
            ) from error
