"""The main job from and to Azure Blob Storage, as Azurite speaks it."""

import json

import fsspec
import pytest
from azurite import find_azurite, running

from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage

pytestmark = pytest.mark.skipif(
    find_azurite() is None, reason="needs Azurite, which `make azurite` installs with npm"
)


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """Storage options that reach a server with one empty container named box."""
    with running(tmp_path_factory.mktemp("azurite")) as found:
        fsspec.filesystem("az", **found).mkdir("box")
        yield found


@pytest.mark.usefixtures("cluster")
def test_a_job_reads_from_azure_and_writes_to_it(options, tiny_model):
    fs = fsspec.filesystem("az", **options)
    lines = [json.dumps({"id": n, "text": f"line {n % 7}" if n % 5 else ""}) for n in range(60)]
    fs.pipe_file("box/in/a.jsonl", "\n".join(lines).encode())
    fs.pipe_file("box/in/b.txt", b"one\ntwo\n")

    def job(sink, **sink_options):
        return TranslateConfig.model_validate(
            {
                "source": {"paths": "az://box/in", "storage_options": options},
                "model": {"name": str(tiny_model)},
                "decoding": {"num_beams": 1, "max_length": 8},
                "sink": {"path": sink, **sink_options},
                "run": {"workers": 1, "shard_rows": 20},
            }
        )

    summary = translate(job("az://box/out", storage_options=options))
    storage = Storage("az://box/out", options)
    assert (summary.rows, summary.translated) == (62, 50)
    assert verify(storage).faults == ()

    # Killed after all but one shard: it is made again, with the same bytes.
    victim = storage.names("_commits")[1]
    before = {name: storage.read(f"data/{name}") for name in storage.names("data")}
    storage.delete(f"_commits/{victim}")
    storage.delete(f"data/{victim.removesuffix('.json')}.parquet")
    translate(job("az://box/out", storage_options=options))
    assert verify(storage).faults == ()
    assert {name: storage.read(f"data/{name}") for name in storage.names("data")} == before

    assert storage.publish_new("_plan/run.json", b"stolen") is False
