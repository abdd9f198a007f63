"""Disks that are full, sinks that cannot be written, sources that change: an error says which."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from killing import Corpus, Driver, Job, output_ids, temporary_files

pytestmark = pytest.mark.faults

MakeJob = Callable[..., Job]
Mount = Callable[[str], Path]


def _is_plain_error(driver: Driver, *names: str) -> bool:
    """Whether a job failed with one message that holds these names, and no traceback."""
    text = driver.output
    return (
        driver.exit_code == 1
        and text.count("error ") == 1
        and "Traceback" not in text
        and all(name in text for name in names)
    )


def test_full_disk_is_named_and_the_rerun_completes(
    corpus: Corpus, make_job: MakeJob, mount: Mount, address: str
) -> None:
    disk = mount("size=16m")
    job = make_job(corpus, disk / "out")
    filler = disk / "filler"
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(room - 128 * 1024))

    full = job.run(address=address)
    committed = job.commits()
    filler.unlink()
    rerun = job.run(address=address)

    assert _is_plain_error(full, str(job.sink), "No space left on device"), full.output
    assert committed < job.shards()
    assert rerun.exit_code == 0, rerun.output
    assert job.faults() == ()
    assert np.array_equal(output_ids(job.sink), corpus.ids())
    assert temporary_files(job.sink) == []


def test_read_only_sink_is_named(
    corpus: Corpus, make_job: MakeJob, mount: Mount, address: str
) -> None:
    job = make_job(corpus, mount("size=1m,ro") / "out")
    assert _is_plain_error(refused := job.run(address=address), str(job.sink)), refused.output


def test_sink_below_a_file_is_named(tmp_path: Path, corpus: Corpus, make_job: MakeJob) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    job = make_job(corpus, "file/out")
    assert _is_plain_error(refused := job.run(), str(job.sink)), refused.output


def test_source_that_changes_during_the_run_is_named(
    tmp_path: Path, make_job: MakeJob, address: str
) -> None:
    corpus = Corpus.write(tmp_path / "in", rows=4_000, files=4)
    job, last = make_job(corpus), corpus.folder / "003.parquet"
    table = pq.read_table(last)
    with job.start(address=address) as driver:
        driver.wait_for((job.sink / "_plan/plan.parquet").exists, "the plan")
        pq.write_table(table.slice(1), last)
        driver.wait()

    assert _is_plain_error(driver, "003.parquet", "changed since the plan"), driver.output
