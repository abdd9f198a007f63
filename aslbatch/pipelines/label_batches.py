"""Asking by batch jobs: made, waited for, fetched; each step is in the journal."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from aslbatch.errors import ConfigError, LostJobError, TeacherError
from aslbatch.labeling.answers import check_answers
from aslbatch.labeling.protocol import BatchTeacher, JobStatus, RawAnswer, Usage
from aslbatch.pipelines.label_jobs import JobMaker
from aslbatch.pipelines.label_journal import CREATED, CREATING, ENDED, PLANNED, Job
from aslbatch.pipelines.label_texts import Asking, most_common_failure
from aslbatch.schema import RejectReason

_FRUITLESS = 3


@dataclass(slots=True)
class BatchAsking:
    """Asks a teacher that takes files of requests.

    What is under way is fetched whatever becomes of the rest: it is paid for.

    Attributes:
        asking: What is asked for.
        teacher: Who is asked.
        maker: Makes jobs.
        ready: Checks key, model and budget, before anything new is made.
        job_requests: Most requests of a job.
        max_jobs: Most jobs under way.
        poll_s: Seconds between looks at them.
        give_up_lost_jobs: Whether a job that the service does not know counts as failed.
    """

    asking: Asking
    teacher: BatchTeacher
    maker: JobMaker
    ready: Callable[[], None]
    job_requests: int
    max_jobs: int
    poll_s: float
    give_up_lost_jobs: bool
    _fruitless: int = 0
    _is_ready: bool = False
    _refused: ConfigError | TeacherError | None = None
    _lost: list[Job] = field(default_factory=list)
    _under_way: dict[int, Job] = field(default_factory=dict)

    def run(self) -> None:
        """Ask until every text has a gloss or is given up.

        Raises:
            ConfigError: Key or model are refused, or what is left would cost too much.
            TeacherError: The budget is spent, or the service cannot be asked.
            QualityAlarmError: Answers are of no use.
        """
        try:
            self._run()
        except TeacherError:
            if not self._is_ready:
                self.teacher.check()  # what is wrong with the key says more
            raise

    def _run(self) -> None:
        for job in list(self.maker.jobs.values()):
            self._take_up(job)
        while True:
            self._make_jobs()
            if not self._under_way:
                break
            if not self._collect():
                self.asking.tell(len(self._under_way), "waiting for answers")
                time.sleep(self.poll_s)
        if self._refused:
            raise self._refused
        for job in self.maker.jobs.values():
            self._release(job)

    def _take_up(self, job: Job) -> None:
        """Go on with a job where an earlier process left it."""
        if job.state in (PLANNED, CREATING):
            job = self.maker.taken_up(job)
        if job.state == PLANNED:
            self._lost.append(job)
        elif job.state == CREATED and self.asking.journal.answers.has(job.stem):
            self._end(job, "fetched by a process that was killed")
        elif job.state == CREATED:
            self._under_way[job.number] = job

    def _make_jobs(self) -> None:
        """Make what may be made; a fault is told when all that is under way has been fetched."""
        if self._refused:
            return
        try:
            while self._lost:
                self._be_ready()
                self._watch(self.maker.make_again(self._lost[0]))
                del self._lost[0]
            busy = [name for job in self._under_way.values() for name in job.hashes]
            todo = self.asking.todo(busy)
            while todo and len(self._under_way) < self.max_jobs:
                self._be_ready()
                most = min(self.job_requests, self.teacher.limits.max_requests)
                asks = self.asking.fitting(todo[:most], self.maker.running())
                if not asks and self._under_way:
                    return  # they may come to less than they can
                if not asks:
                    raise self.asking.out_of_budget(len(todo))
                self.asking.tell(len(self._under_way), f"sending {len(asks):,} requests")
                job = self.maker.make(asks)
                self._watch(job)
                todo = todo[len(job.hashes) :]
        except (ConfigError, TeacherError) as error:
            self._refused = error

    def _be_ready(self) -> None:
        """Check key, model and budget, once."""
        if not self._is_ready:
            self.ready()
            self._is_ready = True

    def _watch(self, job: Job) -> None:
        if not job.is_over:
            self._under_way[job.number] = job

    def _collect(self) -> bool:
        """Fetch what has ended, and return whether anything has."""
        ended = False
        for job in list(self._under_way.values()):
            try:
                status = self.teacher.poll(job.job or "")
                if not status.state.is_final:
                    continue
                self.asking.tell(len(self._under_way), f"fetching {job.job}")
                self._fetch(job, status)
            except LostJobError as error:
                self._give_up(job, error)
            del self._under_way[job.number]
            ended = True
        return ended

    def _give_up(self, job: Job, error: LostJobError) -> None:
        """End a job that is lost, where that was said; else it is told when all others are done."""
        if self.give_up_lost_jobs:
            self.maker.given_up(job, error.message)
            return
        self._refused = self._refused or LostJobError(
            f"{error.message}; is the key that of another account? If the job is gone, "
            f"run.give_up_lost_jobs: true asks, and pays, for its {len(job.hashes):,} texts again"
        )

    def _fetch(self, job: Job, status: JobStatus) -> None:
        """Store the answers of a job that is over, each compared with its request.

        Of a job that ended before it was done, texts without an answer were not tried yet; but as
        many were as there are lines that cannot be read.
        """
        answers: Iterator[RawAnswer] = iter(())
        if status.has_answers:
            answers = self.teacher.fetch(job.job or "")
        checked = check_answers(self.asking.asked(job.hashes), answers)
        outcomes = checked.outcomes
        came = [o for o in outcomes if o.failure is not RejectReason.MISSING_ANSWER]
        if not status.state.is_done:
            missing = [o for o in outcomes if o.failure is RejectReason.MISSING_ANSWER]
            outcomes = [*came, *missing[: checked.strays]]
        job = self._count_strays(job, checked.stray_usage)
        if outcomes:
            self.asking.keep(job.stem, outcomes, job=job.job or "", longest=job.longest)
        usable = sum(outcome.failure is None for outcome in outcomes)
        counts = f"{status.detail}; {usable:,} of {len(job.hashes):,} usable"
        worst = most_common_failure(outcomes)
        self._end(job, counts if worst == "nothing" else f"{counts}, most others {worst}")
        if status.has_answers:
            self._release(job)
        self._count_fruitless(status.detail, answered=bool(came))
        self.asking.look_at(outcomes)

    def _count_strays(self, job: Job, usage: Usage) -> Job:
        """Note what was counted for lines of no request, before the answers are stored."""
        if usage in (Usage(), job.stray_usage):
            return job
        self.asking.standing.usage += usage
        return self.maker.write(replace(job, stray_usage=usage))

    def _count_fruitless(self, ending: str, *, answered: bool) -> None:
        """End the run where jobs bring nothing: the fault is not one that passes.

        Raises:
            TeacherError: It is not the first such job in a row.
        """
        self._fruitless = 0 if answered else self._fruitless + 1
        if self._fruitless >= _FRUITLESS:
            raise TeacherError(
                f"{self._fruitless} jobs in a row ended without an answer, the last: {ending}; the "
                f"same command asks again"
            )

    def _end(self, job: Job, ending: str) -> None:
        self.maker.write(replace(job, state=ENDED, ending=ending))

    def _release(self, job: Job) -> None:
        if job.job:
            self.teacher.release(job.job)
