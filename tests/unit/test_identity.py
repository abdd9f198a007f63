"""What makes two runs the same run."""

from aslbatch.provenance.hashing import sha256_json, source_hash
from aslbatch.provenance.identity import RunIdentity
from aslbatch.provenance.uri import without_credentials


def identity(**changes):
    config = {
        "source": {"paths": ["a.txt"], "storage_options": {"key": "***"}},
        "model": {"name": "demo", "storage_options": changes.pop("options", {})},
        "decoding": {"num_beams": changes.pop("num_beams", 4)},
        "sink": {"path": changes.pop("path", "out"), "compression": "zstd"},
        "run": {"workers": changes.pop("workers", "auto")},
    }
    values = {
        "limit": None,
        "sources": [{"uri": "a.txt", "size": 3, "version": "1"}],
        "model": {"name": "demo", "revision": "", "sha256": "00"},
        "version": "0.1.0",
    }
    return RunIdentity.of(config, **(values | changes))


def test_where_and_how_it_runs_does_not_matter():
    other = identity(path="elsewhere", workers=8, options={"key": "***"})
    assert identity().run_id == other.run_id


def test_everything_that_decides_the_rows_matters():
    ids = {
        identity().run_id,
        identity(num_beams=1).run_id,
        identity(limit=10).run_id,
        identity(version="0.2.0").run_id,
        identity(model={"name": "demo", "revision": "", "sha256": "01"}).run_id,
        identity(sources=[{"uri": "a.txt", "size": 4, "version": "1"}]).run_id,
    }
    assert len(ids) == 6
    assert all(len(run_id) == 16 for run_id in ids)


def test_differences_name_what_differs():
    other = identity(num_beams=1, sources=[{"uri": "a.txt", "size": 4, "version": "1"}]).as_dict()
    assert identity().differences(other) == [
        "config.decoding.num_beams: 1 -> 4",
        "sources[a.txt].size: 4 -> 3",
    ]
    assert identity().differences(identity().as_dict()) == []


def test_hashes_are_stable():
    assert source_hash("The boy runs.") == "77d13599f505a2117c5a654ccbbe52dc"
    assert sha256_json({"b": 1, "a": [2]}) == sha256_json({"a": [2], "b": 1})


def test_credentials_never_stay_in_a_uri():
    assert without_credentials("s3://key:secret@bucket/a/b?sig=x#y") == "s3://bucket/a/b"
    assert without_credentials("data/a.txt") == "data/a.txt"
