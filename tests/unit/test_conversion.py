"""Conversion for CTranslate2: once, whole, and again after a kill."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from aslbatch.errors import ModelError
from aslbatch.models import conversion
from aslbatch.models.cache import cache_folder
from aslbatch.models.conversion import MODEL_FILE, convert_once, converted

FINGERPRINT = "f" * 64


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own for each test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder("engines")


def start(folder, target, *, slowly=False):
    """Start a conversion as a process; a slow one stops before it publishes."""
    code = "import sys, time; from aslbatch.models import conversion as c; "
    if slowly:
        code += "real = c._convert; "
        code += "slow = lambda: (print('converted', flush=True), time.sleep(600)); "
        code += "c._convert = lambda *a: (real(*a), slow()); "
    code += "print(c.convert_once(*map(c.Path, sys.argv[1:3]), 'int8'), flush=True)"
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(target)], stdout=subprocess.PIPE, text=True
    )


def test_a_checkpoint_is_converted_once(tiny_model, cache):
    folder = converted(tiny_model, fingerprint=FINGERPRINT, precision="int8")
    assert folder.parent == cache
    before = (folder / MODEL_FILE).stat()
    assert converted(tiny_model, fingerprint=FINGERPRINT, precision="int8") == folder
    assert (folder / MODEL_FILE).stat() == before


def test_another_checkpoint_precision_or_ctranslate2_is_another_folder(tiny_model, monkeypatch):
    def folder(fingerprint=FINGERPRINT, precision="int8"):
        return converted(tiny_model, fingerprint=fingerprint, precision=precision)

    monkeypatch.setattr(conversion, "convert_apart", lambda *_: None)
    folders = {folder(), folder(precision="float32"), folder(fingerprint="e" * 64)}
    assert len(folders) == 3
    monkeypatch.setattr(conversion, "version", lambda _: "99.0")
    assert folder() not in folders


def test_of_two_processes_one_converts(tiny_model, cache):
    processes = [start(tiny_model, cache / "model") for _ in range(2)]
    said = sorted(process.communicate(timeout=120)[0].strip() for process in processes)
    assert said == ["False", "True"]
    assert (cache / "model" / MODEL_FILE).is_file()


def test_a_killed_conversion_is_made_good_by_the_next(tiny_model, cache):
    target = cache / "model"
    process = start(tiny_model, target, slowly=True)
    assert process.stdout.readline() == "converted\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (stale,) = cache.glob(".model-partial-*")
    assert (stale / MODEL_FILE).is_file()
    assert not target.exists()
    assert convert_once(tiny_model, target, "int8")
    assert (target / MODEL_FILE).is_file()
    assert not list(cache.glob(".model-partial-*"))


def test_a_waiting_process_goes_on_when_the_converting_one_is_killed(tiny_model, cache):
    first = start(tiny_model, cache / "model", slowly=True)
    assert first.stdout.readline() == "converted\n"
    second = start(tiny_model, cache / "model")
    time.sleep(1)
    assert second.poll() is None
    first.kill()
    first.communicate()
    assert second.communicate(timeout=120)[0].strip() == "True"


def test_what_cannot_be_converted_is_told_with_the_reason(tiny_model, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"broken.*cannot be converted.*set model\.engine"):
        converted(broken, fingerprint=FINGERPRINT, precision="int8")
