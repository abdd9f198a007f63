"""Requests to a teacher of the tests, and what is done with every batch teacher."""

import json
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO

import pytest
from teacher_faults import Faults
from teacher_server import API_KEY, TeacherServer, true_gloss

from aslbatch.errors import BusyError
from aslbatch.labeling.protocol import Ask, BatchTeacher, Ending, JobStatus, RawAnswer
from aslbatch.provenance.hashing import source_hash

TEXTS = {f"r{n}": f"We bake {n} chocolate cakes for your sister “Ann”." for n in range(60)}


def ask_of(key: str, text: str) -> Ask:
    user = {"id": f"row {key}", "source_hash": source_hash(text), "text": text}
    return Ask(key, source_hash(text), "Gloss it.", json.dumps(user, ensure_ascii=False))


ASKS = [ask_of(key, text) for key, text in TEXTS.items()]


def uploaded(teacher: BatchTeacher, asks: Sequence[Ask] = ASKS, name: str = "job-1") -> str:
    return teacher.upload(BytesIO(b"".join(teacher.line(ask) for ask in asks)), name)


def created(teacher: BatchTeacher, file: str, name: str) -> str:
    """Create a job, some times where the service takes no more."""
    for _ in range(20):
        with suppress(BusyError):
            return teacher.create(file, name)
    raise AssertionError(f"{name} was never taken")


def assert_busy_makes_nothing(server: TeacherServer, teacher: BatchTeacher, fault: str) -> None:
    """Check that a service with too much to do has made no job, and is told so."""
    file = uploaded(teacher)
    server.faults = Faults(**{fault: 1.0}, retry_after_s=7)
    with pytest.raises(BusyError) as caught:
        teacher.create(file, "job-1")
    assert caught.value.wait_s == 7
    assert (server.happened[fault], server.jobs) == (1, {})


def ended(teacher: BatchTeacher, job: str) -> list[JobStatus]:
    """Poll a job until it is over, and return all that was told of it."""
    told = [teacher.poll(job)]
    while not told[-1].state.is_final:
        told.append(teacher.poll(job))
    return told


def answers_of(
    teacher: BatchTeacher, asks: Sequence[Ask] = ASKS, name: str = "job-1"
) -> list[RawAnswer]:
    job = teacher.create(uploaded(teacher, asks, name), name)
    ended(teacher, job)
    return list(teacher.fetch(job))


def is_right(answer: RawAnswer) -> bool:
    """Return whether an answer is the true one of the row that its key names."""
    text = TEXTS[answer.key or ""]
    right = {"id": f"row {answer.key}", "source_hash": source_hash(text), "gloss": true_gloss(text)}
    return answer.ending is Ending.COMPLETE and json.loads(answer.text) == right


def assert_safe(error: Exception, *secrets: str) -> None:
    """One line, and no key in any part of the traceback."""
    assert "\n" not in str(error)
    shown = "".join(traceback.format_exception(error)) + repr(error)
    assert not [secret for secret in (API_KEY, *secrets) if secret in shown]
