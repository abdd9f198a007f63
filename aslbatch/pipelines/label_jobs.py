"""Making batch jobs: each once, as far as can be known; every step is in the journal before it."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import IO

from aslbatch.errors import ConfigError, LostAnswerError, TeacherError
from aslbatch.labeling.protocol import Ask, BatchTeacher, Usage
from aslbatch.labeling.scratch import room_told, scratch_file
from aslbatch.pipelines.label_journal import CREATED, CREATING, ENDED, PLANNED, Job
from aslbatch.pipelines.label_texts import Asking, today

LOOKS = 3
"""How often a service is asked for a job before it is believed not to have it."""
_MOST_LOST = 2


@dataclass(frozen=True, slots=True)
class _RequestFile:
    sha256: str
    requests: int


@dataclass(frozen=True, slots=True)
class JobMaker:
    """Makes the batch jobs of a run, and keeps their records.

    Attributes:
        asking: What is asked for.
        teacher: Who is asked.
        jobs: All jobs of the run, by number; grows.
        look_s: Seconds between looks for a job that may have been made.
        create_lost: Whether a job is created again that was lost twice.
    """

    asking: Asking
    teacher: BatchTeacher
    jobs: dict[int, Job]
    look_s: float
    create_lost: bool
    _uploads: dict[int, str] = field(default_factory=dict)

    def make(self, asks: Sequence[Ask]) -> Job:
        """Make a job of requests: of as many of them, from the first on, as go into one file.

        Raises:
            BusyError: The service takes no more now. The job is planned, its file is there, and
                `make_again` creates it.
            ConfigError: The service refuses the key.
            TeacherError: It was not made, or that is not known.
        """
        with scratch_file() as content:
            file = self._request_file(asks, content)
            job = self._plan(asks[: file.requests], file)
            self._upload(job, content)
        return self._create(job)

    def running(self) -> Usage:
        """Return the most tokens that the jobs can have that were created and have not ended."""
        return sum((job.most for job in self.jobs.values() if job.state == CREATED), Usage())

    def taken_up(self, job: Job) -> Job:
        """Find out what became of a job that was planned, most often by an earlier process.

        Returns:
            The job: created, if the service lists it; ended, if it surely never was created, so
            that its texts are free; else planned still: noted as a possible orphan, or waiting for
            the service to take it.
        """
        if job.number in self._uploads:
            return job
        if job.state == CREATING:
            job = self._note_lost(job, "a process was killed")
        if not job.possible_orphans:
            return self._ended(job, "was never created")
        return self._found(job) or job

    def make_again(self, job: Job) -> Job:
        """Create a job that the service did not take, or again one that was lost.

        Returns:
            The job; ended, so that its texts are free, where it would be another one now, or could
            cost too much by now.

        Raises:
            BusyError: As `make`; so are the others.
        """
        self._check_lost(job)
        if not self._is_paid_for(job):
            return self._ended(job, "was never created, and could cost too much now")
        if job.number not in self._uploads:
            asks = [self.asking.ask(name) for name in job.hashes]
            with scratch_file() as content:
                if self._request_file(asks, content).sha256 != job.request_sha256:
                    return self._ended(job, "was lost, and its requests would be others now")
                self._upload(job, content)
        return self._create(job)

    def write(self, job: Job) -> Job:
        """Store a job's record in place of its last one."""
        self.jobs[job.number] = self.asking.journal.write(job)
        return job

    def _request_file(self, asks: Sequence[Ask], content: IO[bytes]) -> _RequestFile:
        """Write requests, from the first on as many as the service takes in one file."""
        digest, size_bytes, count = hashlib.sha256(), 0, 0
        with room_told():
            for ask in asks:
                line = self.teacher.line(ask)
                size_bytes += len(line)
                if size_bytes > self.teacher.limits.max_bytes and count:
                    break
                if size_bytes > self.teacher.limits.max_bytes:
                    raise TeacherError(
                        f"the request for text {ask.source_hash} has {size_bytes:,} bytes, more "
                        f"than the service takes: lower prompt.count, or normalize.max_characters"
                    )
                content.write(line)
                digest.update(line)
                count += 1
            content.flush()
        return _RequestFile(digest.hexdigest(), count)

    def _plan(self, asks: Sequence[Ask], file: _RequestFile) -> Job:
        number = max(self.jobs, default=0) + 1
        job = Job(
            number=number,
            name=f"aslbatch-{self.asking.run_id}-{number:06d}-{file.sha256[:8]}",
            hashes=tuple(ask.source_hash for ask in asks),
            request_sha256=file.sha256,
            most=sum(map(self.asking.budget.most, asks), Usage()),
            longest=self.asking.budget.max_output_tokens,
            most_ratio=self.asking.budget.most_ratio,
        )
        return self.write(job)

    def _upload(self, job: Job, content: IO[bytes]) -> None:
        self._uploads[job.number] = self.teacher.upload(content, job.name)

    def _create(self, job: Job) -> Job:
        """Create a planned job whose requests were sent, once as far as can be known."""
        while True:
            planned, job = job, self.write(replace(job, state=CREATING))
            try:
                name = self.teacher.create(self._uploads[job.number], job.name)
                return self._created(job, name)
            except LostAnswerError as error:
                job = self._note_lost(job, error.message)
                if found := self._found(job):
                    return found
                self._check_lost(job, asked=False)
            except TeacherError:  # surely it was not made this time
                self.write(planned)
                raise

    def _check_lost(self, job: Job, *, asked: bool = True) -> None:
        """Refuse to create a job once more that may be there, and paid for, already.

        Args:
            job: A job that was lost, or not.
            asked: Whether somebody could say since it was lost that it may be created again.

        Raises:
            TeacherError: It was lost twice, or another one could cost too much.
        """
        if not job.possible_orphans:
            return
        if len(job.possible_orphans) >= _MOST_LOST and not (asked and self.create_lost):
            raise TeacherError(
                f"job {job.name} may have been created {len(job.possible_orphans)} times, but the "
                f"service does not list it: {job.possible_orphans[-1]}; look for it there. "
                f"run.give_up_lost_jobs: true creates, and perhaps pays for, it once more"
            )
        if not self._is_paid_for(job):
            raise self.asking.out_of_budget(len(job.hashes))

    def _is_paid_for(self, job: Job) -> bool:
        """Return whether the budget allows a job beside those that are running."""
        return self.asking.budget_beside(self.running()).allows(job.most)

    def _ended(self, job: Job, ending: str) -> Job:
        return self.write(replace(job, state=ENDED, ending=ending))

    def _note_lost(self, job: Job, fault: str) -> Job:
        """Note that a job may be there that the service does not list, and what it can cost."""
        note = f"on {today()}: {fault}; the service lists no job {job.name}"
        self.asking.standing.uncounted += job.most
        orphans = (*job.possible_orphans, note)
        return self.write(replace(job, state=PLANNED, possible_orphans=orphans))

    def _found(self, job: Job) -> Job | None:
        """Return a job that was lost, if the service lists it; a new one may take a while to be.

        Of several of its name the latest is waited for, and the others are orphans. Each of them
        is one of those that were lost. A service that cannot list them has none, where
        `create_lost` says so.
        """
        found: list[str] = []
        for look in range(LOOKS):
            try:
                found = self.teacher.find(job.name)
            except (ConfigError, TeacherError):
                if not self.create_lost:
                    raise
            if found:
                break
            if look < LOOKS - 1:
                time.sleep(self.look_s)
        if not found:
            return None
        others = [f"{other} has the name of {found[0]}" for other in found[1:]]
        orphans = (*job.possible_orphans[: -len(found)], *others)
        fewer = len(job.possible_orphans) - len(orphans)
        self.asking.standing.uncounted -= job.most * fewer
        return self._created(replace(job, possible_orphans=orphans), found[0])

    def _created(self, job: Job, name: str) -> Job:
        self._uploads.pop(job.number, None)
        return self.write(replace(job, state=CREATED, job=name, created_on=today()))
