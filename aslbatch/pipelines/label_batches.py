"""Asking by batch jobs: made, waited for, fetched; what is under way is fetched in any case."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aslbatch.errors import BusyError, ConfigError, LostJobError, TeacherError
from aslbatch.labeling.protocol import BatchTeacher
from aslbatch.pipelines.label_fetch import FetchError, JobFetcher
from aslbatch.pipelines.label_jobs import JobMaker
from aslbatch.pipelines.label_journal import CREATED, CREATING, PLANNED, Job
from aslbatch.pipelines.label_texts import Asking


@dataclass(slots=True)
class BatchAsking:
    """Asks a teacher that takes files of requests.

    What is under way is fetched whatever becomes of the rest: it is paid for.

    Attributes:
        asking: What is asked for.
        teacher: Who is asked.
        maker: Makes jobs.
        fetcher: Fetches what has ended.
        ready: Checks key, model and budget, before anything new is made.
        job_requests: Most requests of a job.
        max_jobs: Most jobs under way.
        poll_s: Seconds between looks at them.
        patience_s: Seconds for which a service that takes no more is tried again.
    """

    asking: Asking
    teacher: BatchTeacher
    maker: JobMaker
    fetcher: JobFetcher
    ready: Callable[[], None]
    job_requests: int
    max_jobs: int
    poll_s: float
    patience_s: float
    _is_ready: bool = False
    _refused: ConfigError | TeacherError | None = None
    _under_way: dict[int, Job] = field(default_factory=dict)
    _alone_since: float | None = None
    _try_at: float = 0.0

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
            if not self._under_way and not self._is_waiting:
                break
            if not self._collect():
                what = "answers" if self._under_way else "the service to take more"
                self.asking.tell(len(self._under_way), f"waiting for {what}")
                time.sleep(self.poll_s)
        if self._refused:
            raise self._refused
        for job in self.maker.jobs.values():
            self.fetcher.release(job)

    def _take_up(self, job: Job) -> None:
        """Go on with a job where an earlier process left it."""
        if job.state == CREATED and self.asking.journal.answers.has(job.stem):
            self.fetcher.end(job, "fetched by a process that was killed")
        elif job.state == CREATED:
            self._under_way[job.number] = job

    def _make_jobs(self) -> None:
        """Make what may be made; a fault is told when all that is under way has been fetched."""
        if self._refused or time.monotonic() < self._try_at:
            return
        try:
            for job in list(self.maker.jobs.values()):
                if job.state in (PLANNED, CREATING):
                    self._settle(job)
            self._make_new()
            self._alone_since = None
        except BusyError as error:
            self._wait_for_room(error)
        except (ConfigError, TeacherError) as error:
            self._refused = error

    def _settle(self, job: Job) -> None:
        """Find a job that an earlier process may have created, else create it."""
        job = self.maker.taken_up(job)
        if job.state == PLANNED and set(job.hashes).isdisjoint(self.asking.wanted):
            self.fetcher.end(job, "was lost, and is not wanted any more")
            return
        if job.state == PLANNED:
            self._be_ready()
            job = self.maker.make_again(job)
        if not job.is_over:
            self._under_way[job.number] = job

    def _make_new(self) -> None:
        busy = [name for job in self._under_way.values() for name in job.hashes]
        todo = self.asking.todo(busy)
        while todo and len(self._under_way) < self.max_jobs:
            self._be_ready()
            most = min(self.job_requests, self.teacher.limits.max_requests)
            asks = self.asking.fitting(todo[:most], self.maker.running())
            if not asks and self._under_way:
                return  # these may come to less than they can
            if not asks:
                raise self.asking.out_of_budget(len(todo))
            self.asking.tell(len(self._under_way), f"sending {len(asks):,} requests")
            job = self.maker.make(asks)
            self._under_way[job.number] = job
            todo = todo[len(job.hashes) :]

    @property
    def _is_waiting(self) -> bool:
        """Whether a service is tried again that took no more."""
        return self._alone_since is not None and not self._refused

    def _wait_for_room(self, busy: BusyError) -> None:
        """Let the service be tried again after the next look at jobs: fetching may make room.

        It is given up where none of our jobs was under way for as long as patience goes.
        """
        now = time.monotonic()
        if self._under_way or self._alone_since is None:
            self._alone_since = now
        self._try_at = now + busy.wait_s
        next_try = max(self._try_at, now + min(self.poll_s, self.patience_s))
        if not self._under_way and next_try > self._alone_since + self.patience_s:
            self._refused = TeacherError(
                f"{busy.message}; where the service limits what waits there, lower run.job_requests"
            )

    def _be_ready(self) -> None:
        """Check key, model and budget, once."""
        if not self._is_ready:
            self.ready()
            self._is_ready = True

    def _collect(self) -> bool:
        """Fetch what has ended, and return whether anything has."""
        ended = False
        for job in list(self._under_way.values()):
            try:
                if not self.fetcher.fetch_if_over(job):
                    continue
            except (ConfigError, LostJobError, FetchError) as error:
                # It is one of this job; the others may be had.
                self._refused = self._refused or error
            del self._under_way[job.number]
            ended = True
        return ended
