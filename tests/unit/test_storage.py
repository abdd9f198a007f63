"""Files appear whole or not at all, on a disk and on an object store."""

import os
import pickle
import shutil
from pathlib import Path

import pytest

from aslbatch.errors import SinkError
from aslbatch.storage.folder import Storage


@pytest.fixture(params=["local", "s3"])
def storage(request, tmp_path):
    if request.param == "local":
        return Storage(str(tmp_path / "out"))
    bucket = request.getfixturevalue("s3")
    return Storage(f"{bucket.url}/out", bucket.storage_options)


def test_a_published_file_can_be_read_and_listed(storage):
    storage.publish("data/a.parquet", b"one")
    storage.publish("data/a.parquet", b"two")
    assert storage.read("data/a.parquet") == b"two"
    assert storage.names("data") == ["a.parquet"]
    assert storage.exists("data/a.parquet")


def test_a_new_file_is_never_replaced(storage):
    assert storage.publish_new("_plan/run.json", b"first")
    assert not storage.publish_new("_plan/run.json", b"second")
    assert storage.read("_plan/run.json") == b"first"


def test_what_is_not_there_is_no_error_to_list_or_delete(storage):
    assert storage.names("data") == []
    storage.delete("data")
    with pytest.raises(FileNotFoundError):
        storage.read("data/a.parquet")


def test_deleting_a_folder_deletes_what_is_in_it(storage):
    storage.publish("data/a", b"1")
    storage.delete("data")
    assert not storage.exists("data/a")


def test_two_that_delete_a_folder_of_many_files_both_succeed(tmp_path, monkeypatch):
    storage, rmtree, races = Storage(str(tmp_path)), shutil.rmtree, iter(range(50))
    storage.publish("data/a", b"1")

    def raced(path):
        if next(races, None) is not None:
            raise FileNotFoundError(2, "No such file or directory", f"{path}/gone-already")
        rmtree(path)

    monkeypatch.setattr(shutil, "rmtree", raced)
    storage.delete("data")
    assert not storage.exists("data")


def test_storage_travels_by_pickling(storage):
    storage.publish("a", b"1")
    assert pickle.loads(pickle.dumps(storage)).read("a") == b"1"


def test_no_temporary_file_is_left_or_listed(tmp_path):
    storage = Storage(str(tmp_path))
    storage.publish("data/a", b"1")
    storage.publish_new("data/b", b"1")
    storage.publish_new("data/b", b"1")
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["a", "b"]
    (tmp_path / "data" / ".c.123.tmp").write_bytes(b"half")
    assert storage.names("data") == ["a", "b"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    storage = Storage(str(tmp_path))
    storage.publish("a", b"old")

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SinkError, match="No space left on device"):
        storage.publish("a", b"new")
    with pytest.raises(SinkError, match="nothing that was committed is lost, free some space"):
        storage.publish_new("b", b"new")
    assert storage.read("a") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_system_without_links_has_whole_new_files_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    storage = Storage(str(tmp_path))
    assert storage.publish_new("a", b"first")
    assert not storage.publish_new("a", b"second")
    assert storage.read("a") == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"file/out/a: cannot be written .*sink\.path"):
        Storage(str(tmp_path / "file" / "out")).publish_new("a", b"1")


def test_a_folder_below_is_where_the_root_is_whatever_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage = Storage("out/")
    monkeypatch.chdir("/")
    below = storage.below("tracks")
    below.publish("a", b"1")
    assert storage.read("tracks/a") == (tmp_path / "out/tracks/a").read_bytes() == b"1"
    assert below.uri == "out/tracks"


def test_what_lies_below_the_root_is_known(storage, tmp_path):
    storage.publish("data/a", b"1")
    path = f"{tmp_path}/out/data/a" if storage.is_local else f"{storage.uri}/data/a"
    assert storage.holds(path)
    assert not storage.holds(path.replace("out/", "outside/"))


def test_an_unknown_kind_of_storage_is_an_error():
    with pytest.raises(SinkError, match=r"no such kind of storage.*s3://"):
        Storage("nosuch://bucket/out")


def test_credentials_are_not_in_the_name():
    assert Storage("s3://user:secret@bucket/out").uri == "s3://bucket/out"
