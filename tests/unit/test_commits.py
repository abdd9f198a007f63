"""What is published for a shard, and in which order."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planning import shard_of_lines

from aslbatch.errors import IncompleteRunError
from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.schema import AUDIT, DETAIL, REASON, TEXT, translation_fields
from aslbatch.shards.commits import (
    Commit,
    commit_shard,
    committed,
    read_commit,
    read_commits,
)
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.recommit import only_failed, recommit_shard
from aslbatch.storage.folder import Storage

SOURCE = pa.schema([pa.field("id", pa.int64()), pa.field("speaker", pa.string())])
OUTPUT = OutputFormat(SOURCE, alternatives=False, compression="zstd")
NAME = "part-000000-00000000"


def finished(reasons, rows=None):
    """A shard's table as it leaves the last stage: rejected where there is a reason."""
    rows = list(range(len(reasons))) if rows is None else rows
    values = {
        "id": pa.array(rows, pa.int64()),
        "speaker": pa.array(["Ann"] * len(rows)),
        TEXT: pa.array(["hi"] * len(rows)),
        REASON: pa.array(reasons, pa.string()),
        DETAIL: pa.array([reason and f"because {reason}" for reason in reasons], pa.string()),
    }
    examples = {pa.float32(): 0.5, pa.int32(): 3, pa.bool_(): False}
    for field in translation_fields(alternatives=False):
        if field.name == "source_row":
            column = pa.array(rows, pa.int64())
        else:
            example = [] if field.name == "flags" else examples.get(field.type, field.name)
            keep = field.name == "source_uri"
            example = "a.txt" if keep else example
            column = pa.array(
                [example if keep or reason is None else None for reason in reasons],
                pa.string() if pa.types.is_dictionary(field.type) else field.type,
            ).cast(field.type)
        values[field.name] = column
    return pa.table(values)


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path))


def commit(storage, reasons):
    table = finished(reasons)
    return commit_shard(
        shard_of_lines(len(reasons)), table, storage=storage, output=OUTPUT, run_id="r"
    )


def read(storage, folder):
    record = read_commit(storage, NAME)
    file = record.data if folder == "data" else record.rejected
    return pq.read_table(io.BytesIO(storage.read(file.name)))


def test_rows_are_split_into_data_and_rejected(storage):
    record = commit(storage, [None, "empty", None, "worker_died"])
    data, rejected = read(storage, "data"), read(storage, "rejected")
    assert data["source_row"].to_pylist() == [0, 2]
    assert data.schema.names == OUTPUT.data_schema.names
    assert rejected.select(["id", "source_row", "reject_reason", "reject_detail"]).to_pylist() == [
        {"id": 1, "source_row": 1, "reject_reason": "empty", "reject_detail": "because empty"},
        {
            "id": 3,
            "source_row": 3,
            "reject_reason": "worker_died",
            "reject_detail": "because worker_died",
        },
    ]
    assert record.reasons == {"empty": 1, "worker_died": 1}
    assert record.failed_rows == 1


def test_the_record_tells_the_bytes(storage):
    record = commit(storage, [None, "empty"])
    data = storage.read(f"data/{NAME}.parquet")
    assert record.data.sha256 == sha256_bytes(data)
    assert record.data.size_bytes == len(data)
    assert read_commit(storage, NAME) == record
    assert Commit.from_json(record.to_json()) == record


def test_there_is_no_rejected_file_without_rejected_rows(storage):
    assert commit(storage, [None]).rejected is None
    assert storage.names("rejected") == []


def test_equal_work_gives_equal_bytes(tmp_path):
    first, second = Storage(str(tmp_path / "a")), Storage(str(tmp_path / "b"))
    for storage in (first, second):
        commit(storage, [None, "empty", None])
    for folder in ("data", "rejected"):
        name = f"{folder}/{NAME}.parquet"
        assert first.read(name) == second.read(name)
    assert first.read(f"_commits/{NAME}.json") == second.read(f"_commits/{NAME}.json")


def test_the_record_is_published_last(storage, monkeypatch):
    order = []
    publish_new = Storage.publish_new

    def note(self, name, data):
        order.append(name.split("/")[0])
        return publish_new(self, name, data)

    monkeypatch.setattr(Storage, "publish_new", note)
    commit(storage, [None, "empty"])
    assert order == ["data", "rejected", "_commits"]


def test_a_missing_row_stops_the_commit_before_anything_is_written(storage):
    with pytest.raises(IncompleteRunError, match=r"1 rows came out, 2 were planned from a\.txt"):
        commit_shard(
            shard_of_lines(2), finished([None]), storage=storage, output=OUTPUT, run_id="r"
        )
    assert storage.names("data") == []
    assert committed(storage) == set()


def test_a_damaged_record_is_named(storage):
    storage.publish(f"_commits/{NAME}.json", b"{")
    with pytest.raises(IncompleteRunError, match=rf"_commits/{NAME}\.json: damaged"):
        list(read_commits(storage, [NAME]))


class TestTwoDrivers:
    """Both translate one shard; in the second one's hands a worker died."""

    def files(self, storage):
        names = [f"{f}/{n}" for f in ("data", "rejected", "_commits") for n in storage.names(f)]
        return {name: storage.read(name) for name in names}

    def check(self, storage, record):
        assert read_commit(storage, NAME) == record
        for file in record.files:
            assert sha256_bytes(storage.read(file.name)) == file.sha256

    def test_a_shard_that_is_committed_is_left_as_it_is(self, storage):
        record = commit(storage, [None, "empty"])
        before = self.files(storage)
        assert commit(storage, ["worker_died", "empty"]) == record
        assert self.files(storage) == before

    @pytest.mark.parametrize("at", ["data", "rejected", "_commits"])
    def test_the_first_record_stays_whichever_file_the_second_driver_is_about_to_write(
        self, storage, monkeypatch, at
    ):
        publish_new, first = Storage.publish_new, []

        def overtaken(self, name, data):
            if name.startswith(at) and not first:
                first.append(None)
                first.append(commit(self, [None, "empty", None]))
            return publish_new(self, name, data)

        monkeypatch.setattr(Storage, "publish_new", overtaken)
        record = commit(storage, [None, "empty", "worker_died"])
        assert record == first[1]
        self.check(storage, record)

    def test_a_file_that_a_killed_driver_left_is_not_taken_for_this_ones(self, storage):
        storage.publish(f"data/{NAME}.parquet", b"of another attempt")
        record = commit(storage, [None, "empty"])
        assert record.data.name == f"data/{NAME}.{record.data.sha256[:16]}.parquet"
        self.check(storage, record)

    @pytest.mark.parametrize("content", [b"{", b"other run"])
    def test_a_record_that_is_damaged_or_of_another_run_is_replaced(self, storage, content):
        old = commit(storage, ["empty", None]).to_json().replace(b'"r"', b'"other"')
        storage.publish(f"_commits/{NAME}.json", old if content == b"other run" else content)
        record = commit(storage, [None, "empty"])
        assert record.run_id == "r"
        self.check(storage, record)


class TestRecommit:
    REASONS = (None, "empty", "worker_died", "timed_out")

    def again(self, storage, reasons, rows):
        return recommit_shard(
            shard_of_lines(4), finished(reasons, rows), storage=storage, output=OUTPUT, run_id="r"
        )

    def test_only_failed_rows_are_taken(self, storage):
        commit(storage, list(self.REASONS))
        failed = only_failed(finished([None] * 4), shard_of_lines(4), storage)
        assert failed["source_row"].to_pylist() == [2, 3]

    def test_rows_that_now_succeed_move_to_data(self, storage):
        commit(storage, list(self.REASONS))
        record = self.again(storage, [None, "timed_out"], [2, 3])
        assert read(storage, "data")["source_row"].to_pylist() == [0, 2]
        assert read(storage, "rejected")["source_row"].to_pylist() == [1, 3]
        assert record.generation == 1
        assert record.reasons == {"empty": 1, "timed_out": 1}
        assert self.again(storage, [None], [3]).generation == 2

    def test_a_rejected_file_that_is_not_needed_any_more_goes(self, storage):
        table = finished(["worker_died"] + [None] * 3)
        commit_shard(shard_of_lines(4), table, storage=storage, output=OUTPUT, run_id="r")
        self.again(storage, [None], [0])
        assert storage.names("rejected") == []
        assert storage.names("data") == [f"{NAME}.g1.parquet"]

    @pytest.mark.parametrize("dies_at", ["data", "rejected", "_commits"])
    def test_a_retry_that_dies_leaves_the_old_record_with_whole_files(
        self, storage, monkeypatch, dies_at
    ):
        before = commit(storage, list(self.REASONS))
        publish = Storage.publish

        def die(storage, name, data):
            if name.startswith(dies_at):
                raise KeyboardInterrupt
            publish(storage, name, data)

        monkeypatch.setattr(Storage, "publish", die)
        with pytest.raises(KeyboardInterrupt):
            self.again(storage, [None, "timed_out"], [2, 3])
        monkeypatch.undo()
        assert read_commit(storage, NAME) == before
        for file in before.files:
            assert sha256_bytes(storage.read(file.name)) == file.sha256
        assert self.again(storage, [None, "timed_out"], [2, 3]).generation == 1
        assert read(storage, "data")["source_row"].to_pylist() == [0, 2]


def test_audited_rows_are_counted_over_a_retry_too(storage):
    shard = shard_of_lines(3)
    how = {"storage": storage, "output": OUTPUT, "run_id": "r"}
    table = finished([None, "out_of_memory", None])
    audits = pa.array([True, None, False])
    first = commit_shard(shard, table.append_column(AUDIT, audits), **how)
    assert (first.audited, first.agreed) == (2, 1)
    again = finished([None], rows=[1]).append_column(AUDIT, pa.array([True]))
    second = recommit_shard(shard, again, **how)
    assert (second.audited, second.agreed, second.generation) == (3, 2, 1)
