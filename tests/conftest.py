"""Fixtures shared by all tiers: small checkpoints and small corpora."""

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub_server import HubServer

if TYPE_CHECKING:
    from s3_server import S3Server

# Nothing in the tests may reach for a network; tokenizers' own threads do not survive a fork.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Processes that no test needs, of which each job or training would start one more.
os.environ.setdefault("RAY_prestart_worker_first_driver", "0")
os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Converted models of the tests go into a folder of their own, which workers inherit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random mBART-50 checkpoint with `asl_GL`, small enough to be fast."""
    from tiny_checkpoint import tiny_checkpoint

    return tiny_checkpoint(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A Hugging Face Hub on the loopback, without repositories."""
    with HubServer(tmp_path / "hf-home").running() as server:
        yield server


@dataclass(frozen=True)
class Bucket:
    """An empty bucket on a loopback server; `server.inject` makes requests fail."""

    url: str
    storage_options: dict[str, object]
    server: "S3Server"

    def upload(self, folder: Path, name: str) -> str:
        """Copy the files of a local folder to one of the bucket, and return its URL."""
        from aslbatch.storage.folder import Storage

        storage = Storage(f"{self.url}/{name}", self.storage_options)
        for file in folder.iterdir():
            storage.publish(file.name, file.read_bytes())
        return storage.uri


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[S3Server]":
    """An S3 server that can be made to fail, for all tests of the session."""
    missing = [name for name in ("s3fs", "moto", "flask") if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, which `make setup` installs")
    from s3_server import S3Server

    server = S3Server(tmp_path_factory.mktemp("s3") / "moto.log")
    yield server
    server.close()


@pytest.fixture
def s3(s3_server: "S3Server") -> Iterator[Bucket]:
    """A bucket of its own, on a server without faults."""
    yield Bucket(f"s3://{s3_server.create_bucket()}", s3_server.storage_options(), s3_server)
    s3_server.inject = None
    s3_server.stall_s = 30.0
    s3_server.counts.clear()
