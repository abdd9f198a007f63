"""Many files into few, in place: nothing of the run changes but where its rows lie."""

import json
import os
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from finished_output import (
    REASONS,
    all_rows,
    make_output,
    make_rows,
    make_shard,
    output_format,
)
from s3_server import RandomFaults

from aslbatch.cli import main
from aslbatch.errors import IncompleteRunError, SinkError, TooManyFailedRowsError
from aslbatch.pipelines.accounts import check_files, load_plan
from aslbatch.pipelines.compact import compact
from aslbatch.pipelines.finish import Limits, close_output
from aslbatch.pipelines.status import status
from aslbatch.pipelines.verify import verify
from aslbatch.shards.commits import commit_shard, read_commit
from aslbatch.shards.layout import CLAIM
from aslbatch.shards.merge import merge_shards
from aslbatch.shards.recommit import only_failed, recommit_shard
from aslbatch.storage.folder import Storage

SHARDS = (7, 5, 9, 1, 7, 7, 4)
ROWS = sum(SHARDS)
FORMATS = [("parquet", "zstd"), ("jsonl", "zstd"), ("jsonl", "none")]


@pytest.fixture
def storage(tmp_path):
    return make_output(tmp_path / "out", SHARDS)


def finish(storage):
    """Do what the job does at its end."""
    return close_output(storage, load_plan(storage), limits=Limits(), holding=False)


def contents(storage):
    """Return every file of an output but the manifest, which holds a time."""
    root = Path(storage.uri)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "_manifest.json"
    }


def places(storage, file_format="parquet"):
    return Counter(
        row["source_row"]
        for folder in ("data", "rejected")
        for row in all_rows(storage, folder, file_format=file_format)
    )


@pytest.mark.parametrize(("file_format", "compression"), FORMATS)
def test_rows_stay_the_same_and_in_their_order(tmp_path, file_format, compression):
    storage = make_output(
        tmp_path / "out", SHARDS, file_format=file_format, compression=compression
    )
    before = [all_rows(storage, folder, file_format=file_format) for folder in ("data", "rejected")]
    done = compact(storage, rows_per_file=21)
    after = [all_rows(storage, folder, file_format=file_format) for folder in ("data", "rejected")]
    assert after == before
    assert places(storage, file_format) == dict.fromkeys(range(ROWS), 1)
    assert (done.files_before, done.files_after) == (7, 2)
    assert len(storage.names("data")) == len(storage.names("rejected")) == 2
    assert verify(storage).faults == ()
    assert status(storage).finished
    assert not storage.exists(CLAIM)


def test_no_file_has_more_rows_than_asked_for_and_no_shard_is_split(storage):
    compact(storage, rows_per_file=8)
    plan = load_plan(storage)
    names = [read_commit(storage, shard.name).data.name for shard in plan.shards]
    together = [names.index(name) for name in names]
    assert together == [0, 1, 2, 3, 3, 5, 6]  # 7 | 5 | 9 | 1 + 7 | 7 | 4
    assert sum("merged" in name for name in set(names)) == 1
    assert verify(storage).faults == ()


def test_compacting_twice_changes_nothing(storage):
    compact(storage, rows_per_file=20)
    before = contents(storage)
    times = {path: path.stat().st_mtime_ns for path in Path(storage.uri).rglob("*.parquet")}
    compact(storage, rows_per_file=20)
    assert contents(storage) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.parametrize("first", [1, 13, 22, 1000])
def test_the_bytes_do_not_depend_on_how_one_came_there(tmp_path, storage, first):
    other = make_output(tmp_path / "other", SHARDS)
    compact(other, rows_per_file=first)
    assert verify(other).faults == ()
    assert places(other) == dict.fromkeys(range(ROWS), 1)
    for output in (storage, other):
        compact(output, rows_per_file=17)
    ours, theirs = contents(storage), contents(other)
    assert {n: data for n, data in ours.items() if n.startswith(("data", "rej"))} == {
        n: data for n, data in theirs.items() if n.startswith(("data", "rej"))
    }


def test_the_manifest_and_the_card_are_true_afterwards(storage):
    compact(storage, rows_per_file=1000)
    manifest = json.loads(storage.read("_manifest.json"))
    (name,) = {shard["data"]["name"] for shard in manifest["shards"]}
    assert storage.exists(name)
    ends = [shard["data"]["first_row"] + shard["data"]["rows"] for shard in manifest["shards"]]
    starts = [shard["data"]["first_row"] for shard in manifest["shards"]]
    assert starts == [0, *ends[:-1]]
    assert ends[-1] == manifest["shards"][0]["data"]["file_rows"]


@pytest.mark.parametrize(("file_format", "compression"), FORMATS)
def test_the_hub_reads_a_compacted_output_by_its_card(tmp_path, file_format, compression):
    import datasets

    storage = make_output(
        tmp_path / "out", SHARDS, file_format=file_format, compression=compression
    )
    expected = all_rows(storage, "data", file_format=file_format)
    for rows in (10, 1000):
        compact(storage, rows_per_file=rows)
        found = datasets.load_dataset(
            storage.uri, split="train", cache_dir=str(tmp_path / f"cache{rows}")
        )
        assert sorted(found.to_list(), key=lambda row: row["source_row"]) == expected
        if file_format == "jsonl":
            assert str(found.features["score"].dtype) == "float32"


def test_a_bucket_on_a_failing_server_does_as_well(tmp_path, storage, s3):
    remote = Storage(f"{s3.url}/out", s3.storage_options)
    for name, data in contents(storage).items():
        remote.publish(name, data)
    remote.publish("_manifest.json", storage.read("_manifest.json"))
    s3.server.inject = RandomFaults(0.1, seed=5)
    for output in (remote, storage):
        compact(output, rows_per_file=21)
    assert verify(remote).faults == ()
    for folder in ("data", "rejected", "_commits"):
        names = remote.names(folder)
        assert names == storage.names(folder)
        for name in names:
            assert remote.read(f"{folder}/{name}") == storage.read(f"{folder}/{name}")
    assert not remote.exists(CLAIM)


class TestRetried:
    """What `aslbatch retry` does, without Ray."""

    def retry(self, storage, index, file_format="parquet", compression="zstd"):
        start = sum(SHARDS[:index])
        shard = make_shard(index, SHARDS[index], start)
        again = make_rows(start, shard.rows, reasons=(None,))
        failed = only_failed(again, shard, storage)
        return recommit_shard(
            shard,
            failed,
            storage=storage,
            output=output_format(file_format, compression),
            run_id="0123456789abcdef",
        )

    @pytest.mark.parametrize(("file_format", "compression"), FORMATS)
    def test_a_shard_leaves_the_merged_file(self, tmp_path, file_format, compression):
        storage = make_output(
            tmp_path / "out", SHARDS, file_format=file_format, compression=compression
        )
        compact(storage, rows_per_file=1000)
        record = self.retry(storage, 2, file_format, compression)
        assert record.reasons == {"empty": 1}
        assert record.rows == 9
        assert "not each named by one record" in "\n".join(verify(storage).faults)
        finish(storage)
        assert verify(storage).faults == ()
        assert places(storage, file_format) == dict.fromkeys(range(ROWS), 1)
        assert len(storage.names("data")) == 2
        compact(storage, rows_per_file=1000)
        assert len(storage.names("data")) == 1
        assert verify(storage).faults == ()
        rows = all_rows(storage, "data", file_format=file_format)
        assert [row["source_row"] for row in rows] == [
            n for n in range(ROWS) if n % 7 != 2 and (n % 7 != 4 or 12 <= n < 21)
        ]

    def test_a_late_commit_of_another_driver_changes_nothing(self, storage):
        compact(storage, rows_per_file=1000)
        before = contents(storage)
        commit_shard(
            make_shard(1, 5, 7), make_rows(7, 5, (None,)), storage=storage,
            output=output_format(), run_id="0123456789abcdef",
        )  # fmt: skip
        assert contents(storage) == before
        assert verify(storage).faults == ()

    def test_a_driver_whose_shard_is_compacted_under_its_hands_tears_nothing(
        self, storage, monkeypatch
    ):
        storage.delete("_commits/part-000001-00000001.json")
        publish_new, held = Storage.publish_new, []

        def overtaken(out, name, data):
            if name.startswith("_commits/") and not held:
                held.append(name)
                self.commit(out, REASONS)
                compact(out, rows_per_file=1000)
            return publish_new(out, name, data)

        monkeypatch.setattr(Storage, "publish_new", overtaken)
        assert self.commit(storage, (None,)).data.is_shared
        finish(storage)
        assert verify(storage).faults == ()
        assert places(storage) == dict.fromkeys(range(ROWS), 1)

    def commit(self, storage, reasons):
        return commit_shard(
            make_shard(1, 5, 7), make_rows(7, 5, reasons), storage=storage,
            output=output_format(), run_id="0123456789abcdef",
        )  # fmt: skip


class TestHarm:
    def test_a_changed_merged_file_is_named_once(self, storage):
        compact(storage, rows_per_file=1000)
        (name,) = storage.names("data")
        path = Path(storage.uri, "data", name)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
        assert [f"data/{name}: {len(data)} bytes" in fault for fault in verify(storage).faults] == [
            True
        ]
        path.unlink()
        (fault,) = verify(storage).faults
        assert f"data/{name}: missing, {ROWS - 12} rows are lost" in fault

    @pytest.mark.parametrize("change", [{"first_row": 0}, {"rows": 3}, {"file_rows": 3}])
    def test_a_record_that_points_at_other_rows_is_found(self, storage, change):
        compact(storage, rows_per_file=1000)
        path = Path(storage.uri, "_commits", "part-000003-00000003.json")
        record = json.loads(path.read_text())
        record["data"] |= change
        path.write_text(json.dumps(record))
        assert verify(storage).faults != ()

    def test_a_file_that_does_not_verify_is_not_merged(self, storage):
        name = storage.names("data")[2]
        Path(storage.uri, "data", name).write_bytes(b"PAR1")
        with pytest.raises(IncompleteRunError, match=rf"data/{name}: 4 bytes with SHA-256"):
            compact(storage, rows_per_file=1000)
        assert len(storage.names("data")) == 7


class TestMissingFiles:
    @pytest.mark.parametrize("folder", ["data", "rejected"])
    def test_there_is_no_success_without_a_committed_file(self, storage, folder):
        name = f"{folder}/part-000002-00000002.parquet"
        storage.delete(name)
        remedy = r"delete _commits/part-000002-00000002\.json and run the job again"
        with pytest.raises(IncompleteRunError, match=f"{name}: missing.*{remedy}"):
            finish(storage)
        assert not storage.exists("_SUCCESS")

    def test_a_missing_merged_file_names_all_of_its_records(self, storage):
        compact(storage, rows_per_file=12)
        storage.delete(f"data/{storage.names('data')[0]}")
        with pytest.raises(
            IncompleteRunError, match=r"part-000000-\w+\.json, _commits/part-000001"
        ):
            finish(storage)

    def test_a_file_that_is_being_compacted_is_not_called_lost(self, storage):
        plan = load_plan(storage)
        old = [read_commit(storage, shard.name) for shard in plan.shards]
        compact(storage, rows_per_file=1000)
        with pytest.raises(SinkError, match="moved to another file meanwhile"):
            check_files(storage, old)
        assert storage.exists("_SUCCESS")


class TestRefusals:
    def test_an_unfinished_run_is_refused(self, storage):
        storage.delete("_commits/part-000003-00000003.json")
        before = contents(storage)
        with pytest.raises(IncompleteRunError, match="1 of 7 shards are not committed"):
            compact(storage, rows_per_file=1000)
        assert contents(storage) == before

    def test_a_run_that_may_be_at_work_is_refused(self, storage):
        storage.publish("_attempts/driver/part/x.json", b"{}")
        with pytest.raises(IncompleteRunError, match="still at work there, or was killed"):
            compact(storage, rows_per_file=1000)

    def test_a_folder_that_is_no_output_is_refused(self, tmp_path):
        with pytest.raises(SinkError, match="expected the output folder"):
            compact(Storage(str(tmp_path)), rows_per_file=10)

    @pytest.mark.parametrize("task", ["retry", "compaction"])
    def test_only_one_process_moves_rows_at_a_time(self, storage, task):
        claim = {"task": task, "host": socket.gethostname(), "pid": os.getppid()}
        storage.publish(CLAIM, json.dumps(claim).encode())
        with pytest.raises(SinkError, match=f"at work there is a {task}, process {os.getppid()}"):
            compact(storage, rows_per_file=1000)
        if task == "compaction":
            with pytest.raises(SinkError, match="at work there is a compaction"):
                finish(storage)
        assert "at work there is" in (status(storage).claim or "")


class TestDeadCompaction:
    @pytest.fixture
    def dead(self, storage):
        """An output whose compaction died after two of the seven records were switched."""
        process = subprocess.Popen(["true"])
        process.wait()
        claim = {"task": "compaction", "host": socket.gethostname(), "pid": process.pid}
        storage.publish(CLAIM, json.dumps(claim).encode())
        storage.delete("_SUCCESS")
        plan = load_plan(storage)
        old = [read_commit(storage, shard.name) for shard in plan.shards]
        merge_shards(storage, old, index=0, output=output_format())
        for record in old[2:]:
            storage.publish(f"_commits/{record.shard}.json", record.to_json())
        return storage

    def test_verify_and_status_say_what_is_the_matter(self, dead):
        first, second, *_ = verify(dead).faults
        assert "a compaction, process" in first
        assert "was begun and did not end" in first
        assert "data/merged-000000-" in second
        state = status(dead)
        assert not state.finished
        assert "was begun and did not end" in (state.claim or "")

    @pytest.mark.parametrize("way", ["job", "compact", "compact otherwise"])
    def test_the_job_or_another_compaction_puts_it_right(self, dead, way):
        if way == "job":
            finish(dead)
        else:
            compact(dead, rows_per_file=1000 if way == "compact" else 10)
        assert verify(dead).faults == ()
        assert places(dead) == dict.fromkeys(range(ROWS), 1)
        assert status(dead).claim is None
        assert status(dead).finished


@pytest.mark.parametrize("had_success", [False, True])
def test_a_killed_compaction_gives_a_refused_run_no_success(tmp_path, had_success):
    storage = make_output(tmp_path / "out", SHARDS, run={"max_failed_rows": 0.0})
    storage.delete("_SUCCESS")
    process = subprocess.Popen(["true"])
    process.wait()
    claim = {"task": "compaction", "host": socket.gethostname(), "pid": process.pid}
    storage.publish(CLAIM, json.dumps(claim | {"had_success": had_success}).encode())
    if had_success:
        compact(storage, rows_per_file=1000)
    else:
        with pytest.raises(TooManyFailedRowsError):
            compact(storage, rows_per_file=1000)
    assert storage.exists("_SUCCESS") == had_success


def test_a_finish_with_an_old_view_deletes_no_file_that_was_just_merged(storage, monkeypatch):
    from aslbatch.pipelines import order

    read_records = order.read_records

    def read_then_compact(*arguments):
        records = read_records(*arguments)
        monkeypatch.undo()
        compact(storage, rows_per_file=1000)
        return records

    monkeypatch.setattr(order, "read_records", read_then_compact)
    finish(storage)
    assert verify(storage).faults == ()
    assert places(storage) == dict.fromkeys(range(ROWS), 1)


class TestCommand:
    def run(self, *words):
        with pytest.raises(SystemExit) as stopped:
            main(list(words))
        return stopped.value.code

    def test_it_says_how_many_files_are_left(self, storage, capsys):
        assert self.run("compact", storage.uri, "--rows-per-file", "1000") == 0
        assert "1, before it 7" in capsys.readouterr().out
        assert self.run("verify", storage.uri) == 0

    @pytest.mark.parametrize("words", [[], ["--rows-per-file", "0"]])
    def test_rows_per_file_is_asked_for(self, storage, words):
        assert self.run("compact", storage.uri, *words) == 2

    def test_an_output_without_success_for_failed_rows_stays_so(self, tmp_path, capsys):
        storage = make_output(tmp_path / "out", SHARDS, run={"max_failed_rows": 0.0})
        storage.delete("_SUCCESS")
        assert self.run("compact", storage.uri, "--rows-per-file", "1000") == 3
        assert "rows failed" in capsys.readouterr().err
        assert len(storage.names("data")) == 1
        assert not storage.exists("_SUCCESS")
