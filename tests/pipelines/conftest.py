"""One Ray cluster for the whole tier, and one finished run to look at and to harm."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labeling import API_KEY, KEY_NAME
from sample import LINES, config

from aslbatch.cluster.session import Cluster
from aslbatch.pipelines.translate import translate


@pytest.fixture(scope="package")
def cluster():
    """A running cluster that every job of the tier joins, and that is shut down at its end.

    Not at that of all tests: idle, it takes a tenth of a core.
    """
    with Cluster() as running:
        running.start()
        yield running


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty working directory, and the key of the teachers of the tests in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEY_NAME, API_KEY)
    return tmp_path


@pytest.fixture(scope="package")
def finished(cluster, tmp_path_factory):
    """A folder with three sources of 40, 24 and 8 rows, and the output of their translation."""
    folder = tmp_path_factory.mktemp("finished")
    rows = [{"id": n, "text": LINES[n % 8], "meta": {"film": n % 3}} for n in range(40)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet", row_group_size=7)
    lines = [json.dumps({"id": 100 + n, "text": LINES[n % 8]}) for n in range(24)]
    (folder / "b.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "c.txt").write_text("\n".join(LINES))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        translate(config())
    return folder


@pytest.fixture
def done(finished, tmp_path, monkeypatch):
    """A copy of sources and output to do harm to, as the working directory."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def corpus(done):
    """The sources alone."""
    shutil.rmtree(done / "out")
    return done
