"""Fixtures of the tests that kill processes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from killing import Corpus, Job, Session

CLUSTER = """
import time
import ray
from aslbatch.cluster.session import Cluster

with Cluster() as cluster:
    cluster.start()
    print(ray.get_runtime_context().gcs_address, flush=True)
    time.sleep(1_000_000)
"""


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """4,000 rows in 4 files."""
    return Corpus.write(tmp_path_factory.mktemp("corpus") / "in", rows=4_000, files=4)


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running cluster, which drivers may join and die on."""
    log = tmp_path_factory.mktemp("cluster") / "log"
    with Session([sys.executable, "-c", CLUSTER], log=log) as session:
        session.wait_for(lambda: "\n" in session.output, "the cluster was there")
        yield session.output.split()[-1]


@pytest.fixture
def make_job(tmp_path: Path, tiny_model: Path) -> Callable[..., Job]:
    """Make a job on a corpus: 200 rows a shard, 2 workers, unless said otherwise."""

    def make(corpus: Corpus, sink: Path | str = "out", **run: object) -> Job:
        settings = {"workers": 2, "shard_rows": 200} | run
        return Job.write(tmp_path / "jobs", corpus, tiny_model, tmp_path / sink, **settings)

    return make


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount small file systems, which takes root."""
    mounted: list[Path] = []

    def make(options: str) -> Path:
        folder = tmp_path / f"mounted{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("a file system of limited size is needed, and there is no mount command")
        if done.returncode:
            pytest.skip(f"a file system of limited size is needed: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
