"""A sink that is no local disk: whole files in and out, as on an object store."""

import hashlib
import json
from pathlib import Path

import pytest

from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.shards.storage import Storage

OPTIONS = {"file": {"auto_mkdir": True}}
SECRET = "s3cr3t-t0k3n"


@pytest.fixture
def job(tmp_path, tiny_model):
    """Return a function that makes a configuration; the sink goes through fsspec's `dir://`."""
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
                "sink": {
                    "path": f"dir://{sink}::file://{tmp_path}",
                    "storage_options": OPTIONS,
                },
                "run": {"workers": 1, "shard_rows": 20},
            }
        )

    return make


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(folder, "data").iterdir()
    }


@pytest.mark.usefixtures("cluster")
def test_a_job_to_a_url_resumes_verifies_and_gives_the_bytes_of_a_local_one(job, tmp_path):
    config = job("out")
    summary = translate(config)
    storage = Storage(config.sink.path, config.sink.storage_options)
    assert not storage.is_local
    assert (summary.rows, summary.translated, summary.shards) == (60, 48, 3)
    assert verify(storage).faults == ()
    before = digests(tmp_path / "out")

    victim = sorted((tmp_path / "out/_commits").iterdir())[1]
    victim.unlink()
    (tmp_path / "out/data" / f"{victim.stem}.parquet").write_bytes(b"half")
    assert "missing, the shard is not committed" in verify(storage).faults[0]
    translate(config)
    assert verify(storage).faults == ()
    assert digests(tmp_path / "out") == before

    local = config.model_copy(
        update={"sink": config.sink.model_copy(update={"path": f"{tmp_path}/local"})}
    )
    translate(local)
    assert digests(tmp_path / "local") == before


@pytest.mark.usefixtures("cluster")
def test_secrets_of_the_storage_are_in_no_file_of_the_output(job, tmp_path):
    translate(job("out"))
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > 6
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
