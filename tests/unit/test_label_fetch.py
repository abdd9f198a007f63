"""Fetching batch jobs: one that the service does not know is looked for some time."""

from types import SimpleNamespace

import pytest

from aslbatch.errors import LostJobError
from aslbatch.pipelines.label_fetch import JobFetcher
from aslbatch.pipelines.label_jobs import LOOKS

JOB = SimpleNamespace(number=1, job="batches/1", hashes=("h",))


def fetcher(look_s):
    """Return a fetcher whose service does not know any job."""

    def poll(job):
        raise LostJobError(f"no {job}")

    teacher = SimpleNamespace(poll=poll)
    return JobFetcher(None, teacher, None, look_s=look_s, give_up_lost_jobs=False)


def test_looks_in_the_same_moment_count_once():
    patient = fetcher(look_s=3_600)
    assert not any(patient.fetch_if_over(JOB) for _ in range(5 * LOOKS))


def test_a_job_that_is_looked_for_in_vain_is_lost():
    hasty = fetcher(look_s=0)
    assert not any(hasty.fetch_if_over(JOB) for _ in range(LOOKS - 1))
    with pytest.raises(LostJobError, match="no batches/1; is the key that of another account"):
        hasty.fetch_if_over(JOB)
