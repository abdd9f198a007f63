"""Fetching batch jobs: what came of a job is stored before it counts as over."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from aslbatch.errors import LostJobError, TeacherError
from aslbatch.labeling.answers import Outcome, check_answers
from aslbatch.labeling.protocol import BatchTeacher, JobStatus, RawAnswer, Usage
from aslbatch.pipelines.label_jobs import LOOKS
from aslbatch.pipelines.label_journal import ENDED, Job
from aslbatch.pipelines.label_texts import Asking, most_common_failure
from aslbatch.schema import RejectReason

_FRUITLESS = 3


class FetchError(TeacherError):
    """The answers of one job cannot be had, or there were none in several."""


@dataclass(slots=True)
class JobFetcher:
    """Waits for jobs, and stores their answers.

    Attributes:
        asking: What is asked for.
        teacher: Who is asked.
        write: Stores the record of a job.
        look_s: Seconds between looks for a job that the service does not know.
        give_up_lost_jobs: Whether the texts of a job that the service does not know may be asked
            for again.
    """

    asking: Asking
    teacher: BatchTeacher
    write: Callable[[Job], Job]
    look_s: float
    give_up_lost_jobs: bool
    _fruitless: int = 0
    _unknown: dict[int, list[float]] = field(default_factory=dict)

    def fetch_if_over(self, job: Job) -> bool:
        """Look at a job, and return whether it is over, its answers stored.

        Raises:
            LostJobError: The service does not know it, several looks in a row, or its answers.
            FetchError: Its answers cannot be had, or jobs bring nothing.
            ConfigError: It is lost, and so may all be: the key or the model is refused.
            TeacherError: The service cannot be asked.
            QualityAlarmError: Answers are of no use.
        """
        try:
            status = self.teacher.poll(job.job or "")
            if not status.state.is_final:
                self._unknown.pop(job.number, None)
                return False
            self._fetch(job, status)
        except LostJobError as error:
            looks, now = self._unknown.setdefault(job.number, []), time.monotonic()
            if not looks or now >= looks[-1] + self.look_s:
                looks.append(now)
            if len(looks) < LOOKS:  # a new one may not be known at once
                return False
            self._give_up(job, error)
        return True

    def _give_up(self, job: Job, error: LostJobError) -> None:
        """End a job that is lost, where that was said; else it is told when all others are done.

        Its texts were asked for once, and may be paid for.
        """
        if self.give_up_lost_jobs:
            self.teacher.check()  # with a wrong key all jobs are unknown
            self._keep(job, check_answers(self.asking.asked(job.hashes), ()).outcomes)
            self.end(job, error.message)
            self._count_fruitless(error.message, answered=False)
            return
        raise LostJobError(
            f"{error.message}; is the key that of another account? If the job is gone, "
            f"run.give_up_lost_jobs: true asks, and pays, for its {len(job.hashes):,} texts again"
        )

    def _fetch(self, job: Job, status: JobStatus) -> None:
        """Store the answers of a job that is over, each compared with its request.

        Of a job that ended before it was done, texts without an answer were not tried yet; but as
        many were as there are lines that cannot be read.
        """
        checked = check_answers(self.asking.asked(job.hashes), self._answers(job, status))
        outcomes = checked.outcomes
        came = [o for o in outcomes if o.failure is not RejectReason.MISSING_ANSWER]
        if not status.state.is_done:
            missing = [o for o in outcomes if o.failure is RejectReason.MISSING_ANSWER]
            outcomes = [*came, *missing[: checked.uncounted_strays]]
        job = self._count_strays(job, checked.stray_usage)
        self._keep(job, outcomes)
        usable = sum(outcome.failure is None for outcome in outcomes)
        counts = f"{status.detail}; {usable:,} of {len(job.hashes):,} usable"
        worst = most_common_failure(outcomes)
        self.end(job, counts if worst == "nothing" else f"{counts}, most others {worst}")
        if status.has_answers:
            self.release(job)
        self._count_fruitless(status.detail, answered=bool(came))
        self.asking.look_at(outcomes)

    def _answers(self, job: Job, status: JobStatus) -> list[RawAnswer]:
        """Return the answers of a job that is over.

        Raises:
            LostJobError: They are gone.
            FetchError: They cannot be had.
        """
        if not status.has_answers:
            return []
        try:
            return list(self.teacher.fetch(job.job or ""))
        except LostJobError:
            raise
        except TeacherError as error:
            raise FetchError(error.message) from error

    def _keep(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        if outcomes:
            self.asking.keep(job.stem, outcomes, job)

    def _count_strays(self, job: Job, usage: Usage) -> Job:
        """Note what was counted for lines of no request, before the answers are stored."""
        if usage in (Usage(), job.stray_usage):
            return job
        self.asking.standing.usage += usage
        return self.write(replace(job, stray_usage=usage))

    def _count_fruitless(self, ending: str, *, answered: bool) -> None:
        """End the run where jobs bring nothing: the fault is not one that passes.

        Raises:
            FetchError: It is not the first such job in a row.
        """
        self._fruitless = 0 if answered else self._fruitless + 1
        if self._fruitless >= _FRUITLESS:
            raise FetchError(
                f"{self._fruitless} jobs in a row ended without an answer, the last: {ending}; the "
                f"same command asks again"
            )

    def end(self, job: Job, ending: str) -> None:
        """Note that a job is over, its answers stored."""
        self.write(replace(job, state=ENDED, ending=ending))

    def release(self, job: Job) -> None:
        """Let the teacher forget a job, also one that never was created."""
        self.teacher.release(job.job or job.name)
