"""Drivers and workers that die: no row is lost, none comes twice, and the bytes are the same."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from killing import (
    Corpus,
    Job,
    digests,
    kill_five_times,
    output_ids,
    rejected_rows,
    temporary_files,
)

pytestmark = pytest.mark.faults

MakeJob = Callable[..., Job]


def test_driver_killed_five_times_gives_the_bytes_of_an_undisturbed_run(
    tmp_path: Path, make_job: MakeJob, address: str
) -> None:
    rows = int(os.environ.get("ASLBATCH_KILL_ROWS", "4000"))
    shard_rows = max(100, rows // 100)
    corpus = Corpus.write(tmp_path / "in", rows=rows, files=20)
    killed = make_job(corpus, "killed", shard_rows=shard_rows)
    undisturbed = make_job(corpus, "undisturbed", shard_rows=shard_rows, workers=1)

    kills = kill_five_times(killed, -(-rows // 20 // shard_rows) * 20, random.Random(os.getpid()))
    rerun, reference = killed.run(address=address), undisturbed.run(address=address)

    assert [kill.moment for kill in kills] == ["any", "window", "any", "window", "any"]
    assert all(0 < kill.committed < killed.shards() for kill in kills)
    assert (rerun.exit_code, reference.exit_code) == (0, 0), rerun.output + reference.output
    assert killed.faults() == ()
    assert np.array_equal(output_ids(killed.sink), corpus.ids())
    assert digests(killed.sink) == digests(undisturbed.sink)
    assert temporary_files(killed.sink) == []


def test_killed_worker_is_replaced_within_the_run(corpus: Corpus, make_job: MakeJob) -> None:
    job = make_job(corpus)
    with job.start() as driver:
        driver.wait_for(lambda: job.commits() >= 1 and bool(driver.workers()), "a commit")
        driver.workers()[0].kill()
        driver.wait()

    assert driver.exit_code == 0, driver.output
    assert job.faults() == ()
    assert np.array_equal(output_ids(job.sink), corpus.ids())
    assert set(rejected_rows(job.sink).values()) == {"empty"}


def test_rows_that_kill_or_hang_their_worker_are_rejected_alone(
    tmp_path: Path, make_job: MakeJob, address: str
) -> None:
    rows = 400
    corpus = Corpus.write(
        tmp_path / "in", rows=rows, files=2, texts={37: "It kills.", 333: "It hangs."}
    )
    job = make_job(corpus, shard_rows=8, max_attempts=1, shard_timeout_s=8, max_failed_rows=0.01)
    done = job.run(KILL_TEXT="It kills.", HANG_TEXT="It hangs.")

    assert done.exit_code == 0, done.output
    assert job.faults() == ()
    assert np.array_equal(output_ids(job.sink), corpus.ids())
    failed = {i: r for i, r in rejected_rows(job.sink).items() if r != "empty"}
    assert failed == {corpus.id_of(37): "worker_died", corpus.id_of(333): "timed_out"}

    # A retry that is killed in its worst moment leaves whole shards, old ones or new ones.
    flag = tmp_path / "held"
    with job.start_retry(HOLD_COMMIT=f"1:{flag}") as held:
        held.wait_for(flag.exists, "a commit that is held")
        held.kill()
    assert job.run(address=address).exit_code == 0
    assert job.faults() == ()
    assert np.array_equal(output_ids(job.sink), corpus.ids())
    assert set(rejected_rows(job.sink).values()) > {"empty"}

    # What killed the rows is gone now: they move from rejected to data.
    with job.start_retry(address=address) as retry:
        retry.wait()
    assert retry.exit_code == 0, retry.output
    assert job.faults() == ()
    assert set(rejected_rows(job.sink).values()) == {"empty"}
    assert np.array_equal(output_ids(job.sink), corpus.ids())


def test_two_drivers_on_one_output_both_succeed(
    corpus: Corpus, make_job: MakeJob, address: str
) -> None:
    job = make_job(corpus, workers=1)
    with job.start(address=address) as first, job.start(address=address) as second:
        exit_codes = first.wait(), second.wait()

    assert exit_codes == (0, 0), first.output + second.output
    assert job.faults() == ()
    assert np.array_equal(output_ids(job.sink), corpus.ids())
    assert temporary_files(job.sink) == []


def test_interrupted_run_goes_on_with_its_plan_on_another_cluster(
    corpus: Corpus, make_job: MakeJob, address: str
) -> None:
    job = make_job(corpus)
    with job.start() as driver:
        driver.wait_for(lambda: job.commits() >= 2, "2 commits")
        driver.interrupt()
        driver.wait()
        driver.wait_for_all()
    plan = (job.sink / "_plan/plan.parquet").read_bytes()
    rerun = job.run("run.workers=1", "run.shard_rows=auto", address=address)

    assert driver.exit_code == 130, driver.output
    assert "Traceback" not in driver.output
    assert rerun.exit_code == 0, rerun.output
    assert (job.sink / "_plan/plan.parquet").read_bytes() == plan
    assert (job.shards(), job.commits()) == (20, 20)
    assert job.faults() == ()
    assert np.array_equal(output_ids(job.sink), corpus.ids())
