"""Source and sink in a bucket, on a server that fails every tenth request."""

import hashlib
import json

import pytest
from s3_server import SECRET, RandomFaults

from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage


@pytest.fixture
def job(tmp_path, tiny_model, s3):
    """Return a function that makes a configuration, given the sink."""
    (tmp_path / "in").mkdir()
    lines = [json.dumps({"id": n, "text": f"line {n % 7}" if n % 5 else ""}) for n in range(60)]
    (tmp_path / "in" / "a.jsonl").write_text("\n".join(lines))

    def make(sink):
        return TranslateConfig.model_validate(
            {
                "source": {
                    "paths": f"{tmp_path}/in/a.jsonl",
                    "storage_options": {"token": SECRET},
                },
                "model": {"name": str(tiny_model)},
                "decoding": {"num_beams": 1, "max_length": 8},
                "sink": {"path": sink, "storage_options": s3.storage_options},
                "run": {"workers": 1, "shard_rows": 20},
            }
        )

    return make


def contents(storage):
    """Return all that lies in an output folder, by name."""
    folders = ("", "_plan", "_commits", "data", "rejected")
    names = [f"{folder}/{name}".lstrip("/") for folder in folders for name in storage.names(folder)]
    return {name: storage.read(name) for name in names}


def digests(storage):
    return {
        name: hashlib.sha256(data).hexdigest()
        for name, data in contents(storage).items()
        if name.startswith("data/")
    }


@pytest.mark.usefixtures("cluster")
def test_a_job_to_a_bucket_resumes_verifies_and_gives_the_bytes_of_a_local_one(job, tmp_path, s3):
    s3.server.inject = faults = RandomFaults(0.05, seed=11)
    config = job(f"{s3.url}/out")
    summary = translate(config)
    storage = Storage(config.sink.path, config.sink.storage_options)
    assert not storage.is_local
    assert (summary.rows, summary.translated, summary.shards) == (60, 48, 3)
    assert verify(storage).faults == ()
    before = digests(storage)
    assert len(before) == 3
    assert sum(faults.injected.values()) > 3

    victim = storage.names("_commits")[1]
    storage.delete(f"_commits/{victim}")
    storage.delete(f"data/{victim.removesuffix('.json')}.parquet")
    assert "missing, the shard is not committed" in verify(storage).faults[0]
    translate(config)
    assert verify(storage).faults == ()
    assert digests(storage) == before

    translate(job(f"{tmp_path}/local"))
    assert digests(Storage(f"{tmp_path}/local")) == before
