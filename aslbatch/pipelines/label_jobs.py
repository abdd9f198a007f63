"""Making batch jobs: each once, as far as can be known; every step is in the journal before it."""

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aslbatch.errors import LostAnswerError, OutputMismatchError, TeacherError
from aslbatch.labeling.protocol import Ask, BatchTeacher, Usage
from aslbatch.pipelines.label_journal import CREATED, CREATING, PLANNED, Job
from aslbatch.pipelines.label_texts import Asking, today

_LOOKS = 3
_TRIES = 8
_MOST_LOST = 2


@dataclass(frozen=True, slots=True)
class _RequestFile:
    path: Path
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

    def make(self, asks: Sequence[Ask]) -> Job:
        """Make a job of requests: of as many of them, from the first on, as go into one file.

        Raises:
            TeacherError: It was not made, or that is not known.
        """
        with tempfile.TemporaryDirectory(prefix="aslbatch-") as folder:
            file = self._request_file(asks, Path(folder))
            job = self._plan(asks[: file.requests], file)
            return self._create(job, file)

    def found(self, job: Job) -> Job | None:
        """Return a job that an earlier process may have created, if the service lists it."""
        found = self._look_for(job)
        return self._created(job, found) if found else None

    def make_planned(self, job: Job) -> Job:
        """Make a job that a killed process had planned, and that the service does not list.

        Raises:
            OutputMismatchError: It would be another one now.
            TeacherError: As `make`.
        """
        asks = [self.asking.ask(name) for name in job.hashes]
        with tempfile.TemporaryDirectory(prefix="aslbatch-") as folder:
            file = self._request_file(asks, Path(folder))
            if file.sha256 != job.request_sha256:
                raise OutputMismatchError(
                    f"{self.asking.journal.uri}: the requests of job {job.name} would be others "
                    f"now than when it was planned; run it once with the version of aslbatch, and "
                    f"the teacher.max_output_tokens, that planned it"
                )
            if job.state == CREATING:
                job = self._note_lost(job, "a process was killed")
            return self._create(job, file)

    def write(self, job: Job) -> Job:
        """Store a job's record in place of its last one."""
        self.jobs[job.number] = self.asking.journal.write(job)
        return job

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
        number = max(self.jobs, default=0) + 1
        job = Job(
            number=number,
            name=f"aslbatch-{self.asking.run_id}-{number:06d}-{file.sha256[:8]}",
            hashes=tuple(ask.source_hash for ask in asks),
            request_sha256=file.sha256,
            most=sum(map(self.asking.budget.most, asks), Usage()),
        )
        return self.write(job)

    def _create(self, job: Job, file: _RequestFile) -> Job:
        """Upload the requests of a planned job and create it, once as far as can be known."""
        self._check_lost(job)
        named = file.path.rename(file.path.with_name(f"{job.name}.jsonl"))
        uploaded = self.teacher.upload(named, job.name)
        for _ in range(_TRIES):
            job = self.write(replace(job, state=CREATING))
            try:
                return self._created(job, [self.teacher.create(uploaded, job.name)])
            except LostAnswerError as error:
                if found := self._look_for(job):
                    return self._created(job, found)
                fault = error.message
                if not error.said_that_it_failed:
                    job = self._note_lost(job, fault)
                    self._check_lost(job)
            except TeacherError:
                self.write(replace(job, state=PLANNED))  # surely it was not made
                raise
        raise TeacherError(f"job {job.name} could not be created {_TRIES} times, at last: {fault}")

    def _check_lost(self, job: Job) -> None:
        """Refuse to create a job once more that may be there, and paid for, twice."""
        if len(job.possible_orphans) >= _MOST_LOST and not self.create_lost:
            raise TeacherError(
                f"job {job.name} may have been created {len(job.possible_orphans)} times, but the "
                f"service does not list it: {job.possible_orphans[-1]}; look for it there. "
                f"run.give_up_lost_jobs: true creates, and perhaps pays for, it once more"
            )

    def _note_lost(self, job: Job, fault: str) -> Job:
        """Note that a job may be there that the service does not list, and what it can cost."""
        note = f"on {today()}: {fault}; the service lists no job {job.name}"
        self.asking.standing.uncounted += job.most
        orphans = (*job.possible_orphans, note)
        return self.write(replace(job, state=PLANNED, possible_orphans=orphans))

    def _look_for(self, job: Job) -> list[str]:
        """Return the jobs of this name; a new one may take a while to be listed."""
        for look in range(_LOOKS):
            if found := self.teacher.find(job.name):
                return found
            if look < _LOOKS - 1:
                time.sleep(self.look_s)
        return []

    def _created(self, job: Job, found: Sequence[str]) -> Job:
        others = tuple(f"{other} has the name of {found[0]}" for other in found[1:])
        for _ in others:
            self.asking.standing.uncounted += job.most
        return self.write(
            replace(
                job,
                state=CREATED,
                job=found[0],
                created_on=today(),
                possible_orphans=(*job.possible_orphans, *others),
            )
        )
