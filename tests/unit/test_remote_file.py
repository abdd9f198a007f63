"""Files of remote storage read like local ones, while their server fails every tenth request."""

import gzip
import io
import pickle
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from s3_server import PAGE, Fault, Once, RandomFaults

from aslbatch.errors import SinkError, SourceError
from aslbatch.storage.remote import ask, check_scheme, open_fs
from aslbatch.storage.remote_file import RemoteFile, open_remote, read_range
from aslbatch.storage.remote_listing import list_files

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 90)),
        st.tuples(st.just("seek"), st.integers(0, 120), st.just(io.SEEK_SET)),
        st.tuples(st.just("seek"), st.integers(-20, 20), st.just(io.SEEK_CUR)),
        st.tuples(st.just("seek"), st.integers(-70, 10), st.just(io.SEEK_END)),
        st.tuples(st.just("readinto"), st.integers(0, 50)),
    )
)


def outcome(file, step):
    """Do one step and return all that can be seen of it."""
    name, *arguments = step
    try:
        if name == "readinto":
            buffer = bytearray(arguments[0])
            result = (file.readinto(buffer), bytes(buffer))
        else:
            result = getattr(file, name)(*arguments)
    except OSError:
        assert name == "seek"
        result = "refused"
        file.seek(0)
    return result, file.tell()


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=80), block_bytes=st.integers(1, 100), steps=STEPS)
def test_any_reading_and_seeking_gives_what_a_local_file_gives(
    tmp_path_factory, content, block_bytes, steps
):
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    fs = MemoryFileSystem()
    fs.pipe_file("/content", content)
    with path.open("rb") as local, open_remote(fs, "/content", block_bytes=block_bytes) as remote:
        for step in steps:
            assert outcome(remote, step) == outcome(local, step)


@pytest.fixture
def stored(s3):
    """Return a function that stores bytes and gives the file system and the path."""

    def store(content):
        fs, path = open_fs(f"{s3.url}/in/content", s3.storage_options)
        ask(fs, "pipe_file", path, content)
        s3.server.inject = RandomFaults(0.1, seed=2)
        return fs, path

    return store


CONTENT = random.Random(0).randbytes(300_000)


def test_a_file_of_a_failing_server_is_read_whole(s3, stored):
    with open_remote(*stored(CONTENT), block_bytes=5_000) as file:
        assert file.read() == CONTENT
        assert file.seek(-7, io.SEEK_END) == len(CONTENT) - 7
        assert file.read() == CONTENT[-7:]
    assert sum(s3.server.inject.injected.values()) > 1


def test_an_answer_that_breaks_off_is_asked_for_again(s3, stored):
    fs, path = stored(CONTENT)
    s3.server.inject = broken = Once(Fault.CUT_SHORT, "GET")
    assert read_range(fs, path, 100, 200_000) == CONTENT[100:200_000]
    assert broken.happened


def test_parquet_is_read_through_it(stored):
    table = pa.table({"id": range(50_000), "text": [f"line {n}" for n in range(50_000)]})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=5_000)
    with (
        open_remote(*stored(sink.getvalue()), block_bytes=20_000) as file,
        pq.ParquetFile(pa.PythonFile(file, "r"), pre_buffer=True) as parquet,
    ):
        assert parquet.read().equals(table)
        assert parquet.read_row_group(3, ["text"])["text"][0].as_py() == "line 15000"


def test_compressed_content_is_read_through_it(stored):
    with open_remote(*stored(gzip.compress(CONTENT)), block_bytes=50_000) as file:
        packed = pa.CompressedInputStream(pa.PythonFile(file, "r"), "gzip")
        assert packed.read() == CONTENT


def test_a_file_that_shrank_is_an_error_with_a_number():
    fs = MemoryFileSystem()
    fs.pipe_file("/shrunk", b"12345")
    with open_remote(fs, "/shrunk", size=9) as file, pytest.raises(OSError, match="changed") as e:
        file.read()
    assert e.value.errno


def test_no_more_than_one_block_is_asked_for_at_a_time(s3, stored):
    fs, path = stored(CONTENT)
    s3.server.inject = None
    s3.server.counts.clear()
    with RemoteFile(fs, path, len(CONTENT), block_bytes=100_000) as file:
        file.read(10)
        file.read(10)
        file.seek(50_000)
        file.read(10)
        assert s3.server.counts == {"GET": 1}
        assert len(file.read(1_000_000)) == 49_990


def test_a_file_that_is_missing_is_missing(s3):
    fs, path = open_fs(f"{s3.url}/none", s3.storage_options)
    with pytest.raises(FileNotFoundError):
        open_remote(fs, path)


def test_a_listing_of_many_pages_survives_faults_and_asks_nothing_for_each_file(s3):
    fs, root = open_fs(f"{s3.url}/in", s3.storage_options)
    expected = {}
    for n in range(2 * PAGE + 10):
        path = f"{root}/{n % 7}/{n}.txt"
        fs.pipe_file(path, b"x" * n)
        expected[path] = n
    fs.pipe_file(f"{root}/7/", b"")
    fs.pipe_file(f"{root}side/a", b"1")
    s3.server.inject = Once(Fault.SLOW_DOWN, "LIST", "continuation-token")
    s3.server.counts.clear()
    found = list(list_files(fs, root))
    assert {file.path: file.size for file in found} == expected
    assert len({file.version for file in found}) == len(expected)
    assert s3.server.counts == {"LIST": 4}
    path, size, version = found[0]
    assert (size, version) == (fs.info(path)["size"], fs.info(path)["ETag"])


def test_listings_of_other_storage_are_told_alike(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("123")
    fs, root = open_fs(str(tmp_path), {})
    (found,) = list_files(fs, root)
    assert (found.path, found.size) == (f"{tmp_path}/a/b", 3)
    assert found.version


@pytest.mark.parametrize("url", ["http://h/a", "https://h/a", "sftp://h/a", "zip://a::s3://b/c"])
def test_kinds_of_storage_that_are_not_supported_are_named(url):
    with pytest.raises(SourceError, match=r"s3://, gs://, gcs://, az://, abfs://, abfss://, hf://"):
        check_scheme(url)


def test_a_local_path_is_local_whatever_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a::b").write_bytes(b"1")
    fs, inner = open_fs("a::b", {"key": "x"})
    assert inner == f"{tmp_path}/a::b"
    assert ask(fs, "cat_file", inner) == b"1"
    assert open_fs(f"file://{tmp_path}/c", {})[1] == f"{tmp_path}/c"


def test_options_given_win_over_those_set_here(s3):
    options = {**s3.storage_options, "config_kwargs": {"read_timeout": 7}}
    fs, _ = open_fs(s3.url, options)
    assert fs.config_kwargs["read_timeout"] == 7
    assert fs.config_kwargs["connect_timeout"] == 10
    assert options["config_kwargs"] == {"read_timeout": 7}


@pytest.mark.parametrize("wrong", [{"username": "x"}, {"nonsense": 1}, {"profile": "none-such"}])
def test_options_that_make_no_sense_are_an_error_without_secrets(wrong):
    options = {"key": "PLANTED-KEY", "secret": "PLANTED-SECRET", **wrong}
    with pytest.raises(SinkError, match="check storage_options") as caught:
        open_fs("s3://b/a", options, error=SinkError)
    assert "PLANTED" not in str(pickle.loads(pickle.dumps(caught.value)))
