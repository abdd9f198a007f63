"""What a teacher was asked and what it answered, in the output folder: nothing paid for is lost.

    questions.parquet       every text of the corpus, once; written before anything is asked
    gold.parquet            the texts of the gold set, with those that were in it before
    jobs/000001.json        a batch job: `planned`, `creating`, `created`, `ended`
    answers/000001.parquet  what came of its requests, written once, before the job counts as ended
    answers/chat-*.parquet  what came of chats, a second of them each; many are put into one

All of it lies in a folder of the run's name. A process that is killed leaves at most one job of
which it is not known whether it was created: one that was `creating`. The service is asked for jobs
of its name before another is made.
"""

import json
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from aslbatch.errors import SinkError
from aslbatch.labeling.protocol import Usage
from aslbatch.pipelines.label_answers import AnswerFiles, read_table
from aslbatch.shards.layout import RUN, TEACHER
from aslbatch.shards.parquet_bytes import table_to_parquet
from aslbatch.storage.folder import Storage

QUESTIONS = "questions.parquet"
GOLD = "gold.parquet"
JOBS = "jobs"

PLANNED, CREATING, CREATED, ENDED = "planned", "creating", "created", "ended"

QUESTION_COLUMNS = pa.schema([("source_hash", pa.string()), ("text", pa.string())])


@dataclass(frozen=True, slots=True)
class Job:
    """A batch job.

    Attributes:
        number: Of all jobs of a run, from 1.
        name: Its name of ours, by which the service finds it.
        hashes: `source_hash` of each text that is asked for, in the order of the request file.
        request_sha256: SHA-256 of the request file.
        most: The most tokens that it can have.
        longest: The longest answer that its requests allow.
        most_ratio: The most tokens that a request was reckoned to have for each one estimated,
            when it was planned.
        state: `planned`, `creating`, `created` or `ended`.
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
    most: Usage
    longest: int
    most_ratio: float
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
    def may_be_made(self) -> bool:
        """Whether the service may have it, though it is not known by its name there."""
        return self.state == CREATING or (self.state == PLANNED and bool(self.possible_orphans))

    @property
    def stem(self) -> str:
        """Stem of the names of its files."""
        return f"{self.number:06d}"

    @property
    def of_orphans(self) -> Usage:
        """The most tokens that possible orphans can have."""
        return self.most * len(self.possible_orphans)


class Journal:
    """The folder of a run in which it keeps what was asked and answered."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def uri(self) -> str:
        """Where it lies."""
        return self._storage.uri

    @property
    def answers(self) -> AnswerFiles:
        """What came of requests."""
        return AnswerFiles(self._storage)

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
        return read_table(self._storage, QUESTIONS, QUESTION_COLUMNS)

    def keep_questions(self, questions: pa.Table) -> None:
        """Store the texts that are asked for, once."""
        self._storage.publish_new(QUESTIONS, table_to_parquet(questions, compression="zstd"))

    def gold(self) -> dict[str, str]:
        """Return the texts of all gold sets so far, by `source_hash`.

        Raises:
            SinkError: The file is damaged.
        """
        if not self._storage.exists(GOLD):
            return {}
        table = read_table(self._storage, GOLD, QUESTION_COLUMNS)
        return dict(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))

    def keep_gold(self, texts: dict[str, str]) -> None:
        """Store the texts of a gold set beside those of earlier ones."""
        known = self.gold()
        if texts.keys() - known.keys():
            columns = zip(*(known | texts).items(), strict=True)
            table = pa.table([list(column) for column in columns], schema=QUESTION_COLUMNS)
            self._storage.publish(GOLD, table_to_parquet(table, compression="zstd"))

    def jobs(self) -> list[Job]:
        """Return all batch jobs, by number.

        Raises:
            SinkError: A record is damaged, or missing.
        """
        jobs = [self._job(f"{JOBS}/{name}") for name in self._storage.names(JOBS)]
        last = max([0, *(int(stem) for stem in self.answers.stems() if stem.isdigit())])
        known = {job.number for job in jobs}
        missing = sorted(set(range(1, max([last, *known]) + 1)) - known)
        if missing:
            raise SinkError(
                f"{self.uri}/{JOBS}/{missing[0]:06d}.json is missing; restore it: it says which "
                f"job was paid for"
            )
        return jobs

    def write(self, job: Job) -> Job:
        """Store a job's record in place of its last one, and return it."""
        data = json.dumps(asdict(job), indent=1).encode()
        self._storage.publish(f"{JOBS}/{job.stem}.json", data)
        return job

    def _job(self, name: str) -> Job:
        try:
            fields = json.loads(self._storage.read(name))
            for key in ("hashes", "possible_orphans"):
                fields[key] = tuple(fields[key])
            for key in ("most", "stray_usage"):
                fields[key] = Usage(**fields[key])
            return Job(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise SinkError(
                f"{self.uri}/{name} is damaged ({error}); restore it: it says which job was paid "
                f"for"
            ) from error


def check_nothing_asked(storage: Storage, run_id: str | None) -> None:
    """Refuse to delete a run's output while jobs of it are under way.

    Args:
        storage: The output folder.
        run_id: The run, None where the folder does not say.

    Raises:
        SinkError: Some are, or that is not known.
    """
    if run_id is None:
        if storage.exists(TEACHER):
            raise SinkError(
                f"{storage.uri}/{RUN} is damaged or missing, but {TEACHER} holds what a teacher "
                f"was asked; restore the one, or delete the other, then try again"
            )
        return
    jobs = open_journal(storage, run_id).jobs()
    if waiting := [job for job in jobs if job.state == CREATED or job.may_be_made]:
        names = ", ".join(job.job or job.name for job in waiting)
        raise SinkError(
            f"{storage.uri}: {len(waiting)} jobs of its run are under way and will be paid for: "
            f"{names}; run it to its end with its own configuration, or cancel them at the service "
            f"and delete {storage.uri}/{TEACHER}, then try again"
        )


def open_journal(storage: Storage, run_id: str) -> Journal:
    """Return the journal of a run in its output folder."""
    return Journal(storage.below(f"{TEACHER}/{run_id}"))
