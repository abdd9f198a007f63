"""Rows that fail, and translating them again."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from sample import LINES, config, hashes, read

from aslbatch.errors import (
    SinkError,
    TooManyFailedRowsError,
)
from aslbatch.pipelines.retry import retry
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage


@pytest.mark.usefixtures("corpus")
class TestFailedRows:
    @pytest.fixture
    def broken(self):
        lines = [json.dumps({"id": n, "text": LINES[n % 2]}) for n in range(20)]
        lines[7] = '{"id": 7, "text": '
        lines[9] = json.dumps({"id": 9, "text": "long " * 4_000})
        Path("broken.jsonl").write_text("\n".join(lines))
        return config(source={"paths": "broken.jsonl"})

    def test_more_than_allowed_end_the_run_with_everything_accounted_for(self, broken):
        with pytest.raises(TooManyFailedRowsError, match="2 of 20 rows failed"):
            translate(broken)
        assert not Path("out/_SUCCESS").exists()
        rejected = {row["source_row"]: row for row in read("out", "rejected")}
        assert rejected.keys() == {7, 9}
        assert rejected[7]["reject_reason"] == "invalid_row"
        assert rejected[9]["reject_reason"] == "too_long"
        assert rejected[9]["id"] == 9
        assert "normalize.max_characters" in rejected[9]["reject_detail"]
        # Allowing more finishes the same run.
        run = {**broken.run.model_dump(), "max_failed_rows": 0.2}
        summary = translate(config(source={"paths": "broken.jsonl"}, run=run))
        assert (summary.translated, summary.failed) == (18, 2)
        assert verify(Storage("out")).faults == ()

    def test_retry_replaces_exactly_the_shards_with_failed_rows(self, broken):
        run = {"max_failed_rows": 0.2, "shard_rows": 5}
        translate(config(source={"paths": "broken.jsonl"}, run=run))
        before = hashes("out")
        summary = retry(Storage("out"), "out")
        assert summary.failed == 2  # these rows are wrong themselves, and fail again
        after = hashes("out")
        assert list(after.values()) == list(before.values())
        assert [".g1." in name for name in after] == [False, True, False, False]
        generations = {
            path.stem.split("-")[1]: json.loads(path.read_text())["generation"]
            for path in Path("out/_commits").iterdir()
        }
        assert generations == {"000000": 0, "000001": 1, "000002": 0, "000003": 0}
        assert verify(Storage("out")).faults == ()


@pytest.mark.usefixtures("done")
class TestRetryClaims:
    def test_a_second_retry_is_refused_while_one_is_at_work(self):
        claim = {"task": "retry", "host": socket.gethostname(), "pid": os.getppid()}
        Path("out/_plan/claim.json").write_text(json.dumps(claim))
        with pytest.raises(SinkError, match="at work there is a retry"):
            retry(Storage("out"), "out")

    def test_the_claim_of_a_dead_retry_is_taken_over(self):
        dead = subprocess.Popen(["true"])
        dead.wait()
        claim = {"task": "retry", "host": socket.gethostname(), "pid": dead.pid}
        Path("out/_plan/claim.json").write_text(json.dumps(claim))
        retry(Storage("out"), "out")
        assert not Path("out/_plan/claim.json").exists()

    def test_files_that_a_killed_retry_did_not_come_to_use_are_removed(self):
        name = sorted(Path("out/data").iterdir())[0]
        orphan = name.with_name(f"{name.stem}.g1.parquet")
        shutil.copy(name, orphan)
        assert "belongs to no committed shard" in verify(Storage("out")).faults[0]
        claim = {"task": "retry", "host": socket.gethostname(), "pid": os.getppid()}
        Path("out/_plan/claim.json").write_text(json.dumps(claim))
        translate(config())
        assert orphan.exists()  # a living retry may be about to commit it
        dead = subprocess.Popen(["true"])
        dead.wait()
        Path("out/_plan/claim.json").write_text(json.dumps(claim | {"pid": dead.pid}))
        translate(config())
        assert not orphan.exists()
        assert verify(Storage("out")).faults == ()
