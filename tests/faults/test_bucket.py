"""The main job from and to an S3 server that fails, driver killed: nothing lost, nothing left.

`bench/s3_campaign.py` does the same at length, with a server that falls silent, and compares the
bytes with an undisturbed run.
"""

import shutil

import pytest
from bucket_job import BucketJob, faults, ids, orphans, tells_secret, titles, upload
from killing import Corpus
from s3_server import SECRET

SHARDS = 9


@pytest.mark.faults
def test_a_killed_job_in_a_failing_bucket_loses_nothing_leaves_nothing_and_tells_no_secret(
    s3_server, tiny_model, tmp_path
):
    bucket = s3_server.create_bucket()
    corpus = Corpus.write(tmp_path / "corpus", rows=150 * SHARDS, files=3)
    upload(corpus, s3_server, bucket)
    shown = []
    job = BucketJob.write(tmp_path, s3_server, bucket, tiny_model, "out", workers=2, shard_rows=150)
    try:
        s3_server.inject = first = faults(seed=1)
        with job.start() as driver:
            driver.wait_for(lambda: job.commits() >= 3, "3 commits")
            shown += titles(driver.alive())
            driver.kill()
        assert 3 <= job.commits() < SHARDS
        s3_server.inject = second = faults(seed=2)
        with job.start() as driver:
            assert driver.wait() == 0, driver.output
        s3_server.inject = None
        assert sum((first.injected + second.injected).values()) > 10

        assert job.verify() == 0
        assert ids(job) == corpus.ids().tolist()
        assert orphans(job) == []
        assert job.uploads() == []
        assert tells_secret(job) == []
        assert shown
        assert [title for title in shown if SECRET in title] == []
    finally:
        s3_server.inject = None
        shutil.rmtree(job.ray_folder, ignore_errors=True)
