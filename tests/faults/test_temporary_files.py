"""Temporary files: those of dead writers are swept away, those of living ones are not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aslbatch.storage.folder import Storage

pytestmark = pytest.mark.faults

WRITER = """
import os, sys, time
from aslbatch.storage.folder import Storage
def hang(_):
    print("writing", flush=True)
    time.sleep(3600)
os.fsync = hang
Storage(sys.argv[1]).publish("data/a", b"half")
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is in the middle of writing `data/a`."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            yield process
        finally:
            process.kill()


def test_file_of_a_living_writer_stays(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    Storage(str(tmp_path)).sweep("data")
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_file_of_a_killed_writer_is_removed(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    writer.kill()
    writer.wait()
    storage = Storage(str(tmp_path))
    assert len(list((tmp_path / "data").iterdir())) == 1
    storage.sweep("data")
    assert list((tmp_path / "data").iterdir()) == []


def test_writer_whose_folder_is_taken_away_writes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, fsync, calls = Storage(str(tmp_path)), os.fsync, []

    def delete_once(descriptor: int) -> None:
        fsync(descriptor)
        if not calls:
            Storage(str(tmp_path)).delete("_attempts")
        calls.append(descriptor)

    monkeypatch.setattr(os, "fsync", delete_once)
    storage.publish("_attempts/driver/shard/note.json", b"{}")
    assert storage.read("_attempts/driver/shard/note.json") == b"{}"
    assert len(calls) == 3  # the file that was lost, the one written again, and its folder
