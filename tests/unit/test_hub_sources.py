"""Sources on the Hugging Face Hub, read by its real client from a server on the loopback."""

import io
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_server import TOKEN
from planning import plan_of, read_all

from aslbatch.errors import SourceError
from aslbatch.shards.hub import is_pinned, pin
from aslbatch.shards.reading import Reading
from aslbatch.shards.sources import list_sources

NAME = "org/captions"
ROOT = f"hf://datasets/{NAME}"


def parquet(start, stop):
    texts = [f"line {n}" for n in range(start, stop)]
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": texts}), sink, row_group_size=5)
    return sink.getvalue()


FILES = {
    "README.md": b"# Captions\n",
    ".gitattributes": b"",
    "data/a.parquet": parquet(0, 12),
    "data/b.parquet": parquet(12, 20),
    "data/more/c.jsonl": b'{"text": "line 20"}\n{"text": "line 21"}\n',
}


def each(function, paths):
    return [function(path) for path in paths]


def uris(path):
    return [source.uri for source in list_sources([path], storage_options={})]


def versions(path):
    return [source.version for source in list_sources([path], storage_options={})]


def pinned(path):
    return pin(path, {})


def refusal(path):
    with pytest.raises(SourceError) as caught:
        list_sources([path], storage_options={})
    return caught.value.message


def texts(path, options=None):
    """Return every row's URI and text as shards of 6 rows read them, in a fresh process."""
    reading = Reading(storage_options=options or {})
    table = read_all(plan_of(path, shard_rows=6, reading=reading), reading)
    rows = table.select(["source_uri", "_text"]).to_pylist()
    return sorted((row["source_uri"], row["_text"]) for row in rows)


def test_a_data_set_is_listed_and_read_at_the_commit_that_it_had(hub):
    commit = hub.publish("datasets", NAME, FILES)
    hub.page_entries = 2
    rows = hub.call(texts, ROOT)
    root = f"{ROOT}@{commit}"
    assert {uri for uri, _ in rows} == {
        f"{root}/data/a.parquet",
        f"{root}/data/b.parquet",
        f"{root}/data/more/c.jsonl",
    }
    assert {text for _, text in rows} == {f"line {n}" for n in range(22)}
    assert len(rows) == 22


def test_a_commit_is_listed_once_however_many_files_it_has(hub):
    files = {f"data/{n:03}.jsonl": b'{"text": "a"}\n' for n in range(30)}
    hub.publish("datasets", NAME, files)
    assert len(hub.call(uris, ROOT)) == 30
    assert len(hub.requests) < 10


def test_files_folders_and_globs_are_pinned(hub):
    commit = hub.publish("datasets", NAME, FILES)
    expected = {
        f"{ROOT}/data/*.parquet": ["data/a.parquet", "data/b.parquet"],
        f"{ROOT}/data/?.parquet": ["data/a.parquet", "data/b.parquet"],
        f"{ROOT}@main/data/b.parquet": ["data/b.parquet"],
        f"{ROOT}/data/more/": ["data/more/c.jsonl"],
        f"{ROOT}/**/*.jsonl": ["data/more/c.jsonl"],
    }
    assert hub.call(each, uris, list(expected)) == [
        [f"{ROOT}@{commit}/{name}" for name in names] for names in expected.values()
    ]


def test_revisions_with_slashes_and_commits_are_pinned(hub):
    first = hub.publish("datasets", NAME, FILES, branch="feature/x")
    converted = hub.publish("datasets", NAME, FILES, branch="refs/convert/parquet")
    hub.publish("datasets", NAME, FILES)
    expected = {
        "feature%2Fx": first,
        "refs%2Fconvert%2Fparquet": converted,
        "refs/convert/parquet": converted,
        first: first,
    }
    found = hub.call(each, pinned, [f"{ROOT}@{revision}/data" for revision in expected])
    assert found == [f"{ROOT}@{commit}/data" for commit in expected.values()]
    assert all(is_pinned(path) for path in found)


def test_the_version_is_of_the_content_not_of_the_commit(hub):
    first = hub.publish("datasets", NAME, FILES)
    second = hub.publish("datasets", NAME, FILES | {"data/b.parquet": parquet(12, 21)})
    paths = [f"{ROOT}@{commit}/data/*.parquet" for commit in (first, second)]
    before, after = hub.call(each, versions, paths)
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_a_pinned_path_reads_its_commit_though_the_branch_has_moved(hub):
    first = hub.publish("datasets", NAME, FILES)
    hub.publish("datasets", NAME, {"data/a.parquet": parquet(100, 104)})
    pinned_rows, rows = hub.call(each, texts, [f"{ROOT}@{first}", ROOT])
    assert (len(pinned_rows), len(rows)) == (22, 4)


def test_a_private_data_set_is_read_with_a_token_in_the_storage_options(hub):
    hub.publish("datasets", NAME, FILES, private=True)
    assert len(hub.call(texts, ROOT, {"token": TOKEN})) == 22


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {},
            {
                "hf://datasets/org/none": "none: there is no such repository, or it is private",
                ROOT: "or it is private; check the name, or set HF_TOKEN",
                "hf://datasets/captions": "not a path of the Hub; write hf://datasets/org/name",
            },
        ),
        (
            {"HF_TOKEN": TOKEN},
            {
                "hf://org/captions": "a data set begins with hf://datasets/",
                f"{ROOT}@v9/data": "there is no such branch, tag or commit",
                f"{ROOT}/nothing": "there is no such file or folder",
                f"{ROOT}/*.nothing": "no file matches this pattern",
            },
        ),
        ({"HF_TOKEN": f"{TOKEN}x"}, {ROOT: r"refuses the token \(status 401\)"}),
        ({"HF_HUB_OFFLINE": "1"}, {ROOT: "HF_HUB_OFFLINE is set"}),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, {ROOT: r"cannot be reached \(ConnectError\)"}),
    ],
)
def test_a_source_that_the_hub_does_not_give_says_why(hub, environment, expected):
    hub.publish("datasets", NAME, FILES, private=True)
    messages = hub.call(each, refusal, list(expected), **environment)
    for pattern, message in zip(expected.values(), messages, strict=True):
        assert re.search(pattern, message)
        assert TOKEN not in message


def test_a_hub_that_fails_while_a_shard_is_read_does_not_make_its_rows_unreadable(hub):
    """A damaged source becomes rejected rows; one out of reach must stop the run instead."""
    hub.publish("datasets", NAME, FILES)
    planned = 2  # requests, one for the footer of each Parquet file
    hub.fails = lambda request: "/cdn/" in request and len(hub.asked("/cdn/")) >= planned
    hub.fails_with = 403  # which clients do not try again
    with pytest.raises(SourceError, match=r"[ab]\.parquet: .*: the Hub refuses") as caught:
        hub.call(texts, ROOT)
    assert type(caught.value) is SourceError
    assert len(hub.asked("/cdn/")) > planned


def test_other_paths_are_left_alone():
    assert pin("data/*.parquet", {}) == "data/*.parquet"
    assert pin("s3://bucket/hf://x", {}) == "s3://bucket/hf://x"
    assert not is_pinned(f"hf://datasets/org/name/folder@{'0' * 40}/a.txt")
