import gzip
from pathlib import Path

import fsspec
import pytest
from pydantic import ValidationError
from s3_server import RandomFaults

from aslbatch.config.translate import SourceSection
from aslbatch.errors import SourceError
from aslbatch.shards.listing import fingerprint
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources
from aslbatch.storage.folder import Storage


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, data: bytes = b"x\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def uris(*paths: str, wanted: str = "auto") -> list[str]:
    return [source.uri for source in list_sources(paths, format=wanted, storage_options={})]


def test_folder_is_searched_recursively_for_known_endings(folder):
    for name in ("b.jsonl", "a/c.txt.gz", "a/README.md", ".git/x.txt", "_tmp/y.txt", "a/_z.csv"):
        write(folder / "data" / name)
    assert uris("data") == ["data/a/c.txt.gz", "data/b.jsonl"]


@pytest.mark.parametrize("note", ["dataset_info.json", "dataset_infos.json", "state.json"])
def test_what_describes_a_data_set_is_no_source_unless_it_is_named(folder, note):
    for name in ("train/a.jsonl", note, f"train/{note}", f"my_{note}"):
        write(folder / "data" / name)
    assert uris("data") == [f"data/my_{note}", "data/train/a.jsonl"]
    assert uris("data/*.json") == [f"data/my_{note}"]
    assert uris(f"data/{note}") == [f"data/{note}"]


def test_glob_takes_known_endings_and_skips_hidden_files(folder):
    for name in ("a.csv", "b.csv", "c.txt", "d.bin", "_e.csv", ".f.csv", "sub/g.csv"):
        write(folder / "data" / name)
    assert uris("data/*.csv") == ["data/a.csv", "data/b.csv"]
    assert uris("data/*") == ["data/a.csv", "data/b.csv", "data/c.txt"]
    assert uris("data/**/*.csv") == ["data/a.csv", "data/b.csv", "data/sub/g.csv"]
    assert uris("data/*.bin", wanted="text") == ["data/d.bin"]


def test_files_are_sorted_and_listed_once_however_they_are_named(folder):
    for name in ("b.txt", "a.txt"):
        write(folder / name)
    assert uris("b.txt", "*.txt", str(folder), f"file://{folder}/a.txt") == ["a.txt", "b.txt"]


def test_uri_is_relative_below_the_working_directory_and_absolute_elsewhere(folder, monkeypatch):
    file = write(folder / "data" / "a.txt")
    assert uris(str(file)) == ["data/a.txt"]
    monkeypatch.chdir(write(folder / "other" / "b.txt").parent)
    assert uris("../data/a.txt") == [file.as_posix()]


def test_path_opens_the_file_from_another_working_directory(folder, monkeypatch):
    write(folder / "a.txt", b"hello\n")
    [source] = list_sources(["a.txt"], storage_options={})
    monkeypatch.chdir("/")
    with fsspec.open(source.path, "rb") as stream:
        assert stream.read() == b"hello\n"


@pytest.mark.parametrize(
    ("name", "expected", "compression"),
    [
        ("a.parquet", "parquet", "none"),
        ("a.jsonl", "jsonl", "none"),
        ("a.NDJSON", "jsonl", "none"),
        ("a.json.zst", "jsonl", "zstd"),
        ("a.csv.gz", "csv", "gzip"),
        ("a.b.tsv", "tsv", "none"),
        ("a.txt", "text", "none"),
        ("The.Film.2019.SRT", "srt", "none"),
        ("a.vtt.gz", "vtt", "gzip"),
        ("a.ass", "ass", "none"),
        ("a.ssa.zst", "ass", "zstd"),
    ],
)
def test_format_and_compression_follow_the_ending(folder, name, expected, compression):
    write(folder / name)
    [source] = list_sources([name], storage_options={})
    assert (source.format, source.compression) == (expected, compression)


def test_explicit_format_overrides_the_ending(folder):
    write(folder / "a.csv.gz", gzip.compress(b"a\n"))
    [source] = list_sources(["a.csv.gz"], format="tsv", storage_options={})
    assert (source.format, source.compression) == ("tsv", "gzip")


def test_local_version_is_the_modification_time_in_ns(folder):
    file = write(folder / "a.txt", b"12345")
    [source] = list_sources(["a.txt"], storage_options={})
    assert (source.size, source.version) == (5, str(file.stat().st_mtime_ns))


def test_all_bad_paths_are_listed_in_one_error(folder):
    write(folder / "empty.txt", b"")
    write(folder / "a.docx")
    write(folder / "nothing" / "a.docx")
    write(folder / "a.parquet.gz")
    with pytest.raises(SourceError) as caught:
        list_sources(
            ["gone.txt", "*.foo", "nothing", "empty.txt", "a.docx", "a.parquet.gz", "nope://x/y"],
            storage_options={},
        )
    lines = caught.value.message.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "gone.txt",
        "*.foo",
        "nothing",
        "nope",
        "a.docx",
        "a.parquet.gz",
        "empty.txt",
    ]
    for line, remedy in zip(
        lines,
        (
            "check source.paths",
            "check the pattern",
            "name the files by a glob",
            "use a local path",
            "set source.format",
            "unpack it",
            "remove it",
        ),
        strict=True,
    ):
        assert remedy in line


def test_no_paths_is_an_error():
    with pytest.raises(SourceError, match=r"source\.paths is empty"):
        list_sources([], storage_options={})


@pytest.mark.parametrize(
    "url", ["ftp://me:s3cret@host/a.txt", "https://host/a.txt?X-Amz-Signature=s3cret"]
)
def test_url_with_credentials_is_refused_and_not_repeated(url):
    with pytest.raises(SourceError) as caught:
        list_sources([url], storage_options={})
    assert "s3cret" not in caught.value.message
    assert "host/a.txt" in caught.value.message


@pytest.fixture
def bucket(s3):
    storage = Storage(s3.url, s3.storage_options)
    storage.publish("in/a.jsonl", b'{"text": "a"}\n')
    storage.publish("in/b/c.txt", b"b\n")
    storage.publish("in/.hidden/d.txt", b"d\n")
    return s3


@pytest.mark.parametrize("pattern", ["in", "in/**", "in/*", "in/[ab]*"])
def test_remote_folders_and_globs_give_full_urls(bucket, pattern):
    sources = list_sources([f"{bucket.url}/{pattern}"], storage_options=bucket.storage_options)
    everything = [f"{bucket.url}/in/a.jsonl", f"{bucket.url}/in/b/c.txt"]
    assert [source.uri for source in sources] == everything[
        : 2 if pattern in ("in", "in/**") else 1
    ]
    assert all(source.path == source.uri and source.version for source in sources)


def test_a_remote_folder_is_listed_without_a_question_for_each_file(bucket):
    storage = Storage(bucket.url, bucket.storage_options)
    for number in range(30):
        storage.publish(f"many/{number}.txt", b"a\n")
    bucket.server.counts.clear()
    list_sources([f"{bucket.url}/many"], storage_options=bucket.storage_options)
    assert sum(bucket.server.counts.values()) < 10


def test_a_passing_fault_is_not_taken_for_a_missing_folder(bucket):
    bucket.server.inject = RandomFaults(0.5, seed=3)
    sources = list_sources([f"{bucket.url}/in"], storage_options=bucket.storage_options)
    assert len(sources) == 2
    bucket.server.inject = None
    with pytest.raises(SourceError, match=r"nowhere: there is no such file or folder"):
        list_sources([f"{bucket.url}/nowhere"], storage_options=bucket.storage_options)


@pytest.mark.parametrize(
    "path",
    [
        "zip://x::s3://KEY:S3CRET@bucket/a.zip",
        "zip://x::s3://KEY:S3CRET@bucket/a.rar",
        "s3://KEY:S3/CRET@bucket/x",
        "simplecache::s3://KEY:S3CRET@bucket/a",
    ],
)
def test_a_password_anywhere_in_a_path_is_refused_and_not_shown(path):
    with pytest.raises(SourceError, match="the URL holds a password") as caught:
        list_sources([path], storage_options={})
    assert "CRET" not in str(caught.value)
    with pytest.raises(ValidationError) as refused:
        SourceSection(paths=[path])
    assert "holds a password" in str(refused.value)


def test_a_path_with_two_slashes_names_the_same_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\n")
    assert len(list_sources([f"{tmp_path}/a.txt", f"/{tmp_path}/a.txt"], storage_options={})) == 1


def test_remote_version_changes_with_the_content(bucket):
    def look():
        return fingerprint(f"{bucket.url}/in/a.jsonl", bucket.storage_options)

    before = look()
    assert look() == before
    Storage(bucket.url, bucket.storage_options).publish("in/a.jsonl", b'{"text": "b"}\n')
    assert look() != before


def test_source_is_hashable_and_frozen():
    source = Source("a", "a", "text", "none", 1, "1")
    assert {source, Source("a", "a", "text", "none", 1, "1")} == {source}
    with pytest.raises(AttributeError):
        source.uri = "b"
