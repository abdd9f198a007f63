"""Asking by batch jobs: planned, created, waited for, fetched; each step is in the journal."""

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from aslbatch.errors import LostAnswerError, LostJobError, OutputMismatchError, TeacherError
from aslbatch.labeling.answers import check_answers
from aslbatch.labeling.protocol import Ask, BatchTeacher, JobState, JobStatus
from aslbatch.pipelines.label_journal import CREATED, ENDED, PLANNED, Job
from aslbatch.pipelines.label_texts import Asking, most_common_failure, today

_LOOKS = 3
_TRIES = 8
_FRUITLESS = 3


@dataclass(frozen=True, slots=True)
class _RequestFile:
    path: Path
    sha256: str
    requests: int


@dataclass(slots=True)
class BatchAsking:
    """Asks a teacher that takes files of requests.

    Attributes:
        asking: What is asked for.
        teacher: Who is asked.
        jobs: All jobs of the run so far.
        job_requests: Most requests of a job.
        max_jobs: Most jobs under way.
        poll_s: Seconds between looks at them.
        give_up_lost_jobs: Whether a job that the service does not know counts as failed.
    """

    asking: Asking
    teacher: BatchTeacher
    jobs: list[Job]
    job_requests: int
    max_jobs: int
    poll_s: float
    give_up_lost_jobs: bool
    _fruitless: int = 0
    _under_way: dict[int, Job] = field(default_factory=dict)

    def run(self) -> None:
        """Ask until every text has a gloss or is given up.

        Raises:
            TeacherError: The budget is spent, or the service cannot be asked.
            QualityAlarmError: Answers are of no use.
            OutputMismatchError: A job that was planned would be another one now.
        """
        for job in self.jobs:
            if job.state == PLANNED:
                self._under_way[job.number] = self._settle(job)
            elif job.state == CREATED and self.asking.journal.has_answers(job.stem):
                self._write(
                    replace(job, state=ENDED, ending="fetched by a process that was killed")
                )
            elif job.state == CREATED:
                self._under_way[job.number] = job
        while True:
            left = self._start_jobs()
            if not self._under_way:
                if left:
                    raise self.asking.out_of_budget(left)
                return
            if not self._collect():
                self.asking.tell(len(self._under_way), "waiting for answers")
                time.sleep(self.poll_s)

    def _start_jobs(self) -> int:
        """Start what may be started, and return how many texts wait."""
        busy = [name for job in self._under_way.values() for name in job.hashes]
        todo = self.asking.todo(busy)
        while todo and len(self._under_way) < self.max_jobs:
            running = (Decimal(job.worst_cost) for job in self._under_way.values())
            reserved = sum(running, Decimal(0))
            most = min(self.job_requests, self.teacher.limits.max_requests)
            asks = self.asking.fitting(todo[:most], reserved=reserved)
            if not asks:
                break
            with tempfile.TemporaryDirectory(prefix="aslbatch-") as folder:
                file = self._request_file(asks, Path(folder))
                asks = asks[: file.requests]
                self.asking.tell(len(self._under_way), f"sending {len(asks):,} requests")
                job = self._plan(asks, file)
                self._under_way[job.number] = self._create(job, file)
            todo = todo[len(asks) :]
        return len(todo)

    def _request_file(self, asks: Sequence[Ask], folder: Path) -> _RequestFile:
        """Write requests, from the first on as many as the service takes in one file."""
        digest, size_bytes = hashlib.sha256(), 0
        path = folder / "requests.jsonl"
        with path.open("wb") as file:
            for count, ask in enumerate(asks):
                line = self.teacher.line(ask)
                size_bytes += len(line)
                if size_bytes > self.teacher.limits.max_bytes and count:
                    return _RequestFile(path, digest.hexdigest(), count)
                if size_bytes > self.teacher.limits.max_bytes:
                    raise TeacherError(
                        f"the request for text {ask.source_hash} has {size_bytes:,} bytes, more "
                        f"than the service takes: lower prompt.count, or normalize.max_characters"
                    )
                file.write(line)
                digest.update(line)
        return _RequestFile(path, digest.hexdigest(), len(asks))

    def _plan(self, asks: Sequence[Ask], file: _RequestFile) -> Job:
        number = len(self.jobs) + 1
        job = Job(
            number=number,
            name=f"aslbatch-{self.asking.run_id}-{number:06d}-{file.sha256[:8]}",
            hashes=tuple(ask.source_hash for ask in asks),
            request_sha256=file.sha256,
            worst_cost=str(self.asking.budget.most(asks)),
        )
        self.jobs.append(job)
        return self.asking.journal.write(job)

    def _settle(self, job: Job) -> Job:
        """Find out whether a job that a killed process had planned was created, else create it."""
        if found := self._look_for(job):
            return self._created(job, found)
        asks = [self.asking.ask(name) for name in job.hashes]
        with tempfile.TemporaryDirectory(prefix="aslbatch-") as folder:
            file = self._request_file(asks, Path(folder))
            if file.sha256 != job.request_sha256:
                raise OutputMismatchError(
                    f"{self.asking.journal.uri}: the requests of job {job.name} would be others "
                    f"now than when it was planned; run it once with the version of aslbatch, and "
                    f"the teacher.max_output_tokens, that planned it"
                )
            note = (
                f"on {today()} the service listed no job {job.name}, so that it was created again"
            )
            orphans = (*job.possible_orphans, note)
            return self._create(replace(job, possible_orphans=orphans), file)

    def _create(self, job: Job, file: _RequestFile) -> Job:
        """Upload the requests of a planned job and create it, once as far as can be known."""
        named = file.path.rename(file.path.with_name(f"{job.name}.jsonl"))
        uploaded = self.teacher.upload(named, job.name)
        for _ in range(_TRIES):
            try:
                return self._created(job, [self.teacher.create(uploaded, job.name)])
            except LostAnswerError as error:
                if found := self._look_for(job):
                    return self._created(job, found)
                note = f"on {today()}: {error.message}; the service lists no job {job.name}"
                job = self._write(replace(job, possible_orphans=(*job.possible_orphans, note)))
        raise TeacherError(
            f"job {job.name} could not be created: {job.possible_orphans[-1]}; look there for a "
            f"job of that name before you run the same command again"
        )

    def _look_for(self, job: Job) -> list[str]:
        """Return the jobs of this name; a new one may take a while to be listed."""
        for look in range(_LOOKS):
            if found := self.teacher.find(job.name):
                return found
            if look < _LOOKS - 1:
                time.sleep(self.poll_s)
        return []

    def _created(self, job: Job, found: Sequence[str]) -> Job:
        others = tuple(f"{other} has the name of {found[0]}" for other in found[1:])
        return self._write(
            replace(
                job,
                state=CREATED,
                job=found[0],
                created_on=today(),
                possible_orphans=(*job.possible_orphans, *others),
            )
        )

    def _collect(self) -> bool:
        """Fetch what has ended, and return whether anything has."""
        ended = False
        for job in list(self._under_way.values()):
            status = self._poll(job)
            if not status.state.is_final:
                continue
            self.asking.tell(len(self._under_way), f"fetching {job.job}")
            if status.has_answers:
                self._fetch(job, status.detail)
            else:
                self._give_up(job, status.detail)
            del self._under_way[job.number]
            ended = True
        return ended

    def _poll(self, job: Job) -> JobStatus:
        try:
            return self.teacher.poll(job.job or "")
        except LostJobError as error:
            if not self.give_up_lost_jobs:
                raise LostJobError(
                    f"{error.message}; is the key that of another account? If the job is gone, "
                    f"run.give_up_lost_jobs: true asks, and pays, for its {len(job.hashes):,} "
                    f"texts again"
                ) from error
            return JobStatus(JobState.FAILED, error.message, has_answers=False)

    def _give_up(self, job: Job, ending: str) -> None:
        """Let the texts of a job without any answer be asked for again, as if they never were.

        Raises:
            TeacherError: It is not the first such job in a row: the fault is not one that passes.
        """
        self._write(replace(job, state=ENDED, ending=ending))
        self._fruitless += 1
        if self._fruitless >= _FRUITLESS:
            raise TeacherError(
                f"{self._fruitless} jobs in a row ended without an answer, the last: {ending}; the "
                f"same command asks again"
            )

    def _fetch(self, job: Job, ending: str) -> None:
        """Store the answers of a job that is over, each compared with its request."""
        self._fruitless = 0
        answers = self.teacher.fetch(job.job or "")
        checked = check_answers(self.asking.asked(job.hashes), answers)
        outcomes = checked.outcomes
        self.asking.keep(job.stem, outcomes, job=job.job or "")
        self.asking.standing.usage += checked.stray_usage
        counts = (
            f"{ending}; {sum(o.failure is None for o in outcomes):,} of {len(outcomes):,} usable"
        )
        worst = most_common_failure(outcomes)
        self._write(
            replace(
                job,
                state=ENDED,
                ending=counts if worst == "nothing" else f"{counts}, most others {worst}",
                stray_usage=checked.stray_usage,
            )
        )
        self.asking.look_at(outcomes)

    def _write(self, job: Job) -> Job:
        self.jobs[job.number - 1] = self.asking.journal.write(job)
        return job
