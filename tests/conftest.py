"""Fixtures shared by all tiers: small checkpoints and small corpora."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import HubServer

# Nothing in the tests may reach for a network; tokenizers' own threads do not survive a fork.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


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
