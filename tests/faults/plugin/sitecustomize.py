"""Faults planted into every Python process of a job, which finds this file by its PYTHONPATH.

The package itself has no hooks for tests: its classes are patched here as they are imported, and
only where one of these variables of the environment says so.

    ASLBATCH_FAULT_HOLD_COMMIT=N:FLAG   once N commit records are there, the next process that is
                                        about to write one writes its name to FLAG, and waits
    ASLBATCH_FAULT_KILL_TEXT=TEXT       a process that is to translate TEXT kills itself
    ASLBATCH_FAULT_HANG_TEXT=TEXT       a process that is to translate TEXT waits
"""

import os
import signal
import sys
import time
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from pathlib import Path

_FOREVER_S = 3_600


def _hold_commit(module):
    count, _, flag = os.environ["ASLBATCH_FAULT_HOLD_COMMIT"].partition(":")
    publish_new = module.Storage.publish_new
    publish = module.Storage.publish

    def hold(storage, name):
        if name.startswith("_commits/") and len(storage.names("_commits")) >= int(count):
            try:
                with Path(flag).open("x", encoding="utf-8") as file:
                    file.write(name)
            except FileExistsError:
                pass  # another process is held
            else:
                time.sleep(_FOREVER_S)

    def held(storage, name, data):
        hold(storage, name)
        publish(storage, name, data)

    def held_new(storage, name, data):
        hold(storage, name)
        return publish_new(storage, name, data)

    module.Storage.publish = held
    module.Storage.publish_new = held_new


def _fatal_texts(module):
    kills = os.environ.get("ASLBATCH_FAULT_KILL_TEXT")
    hangs = os.environ.get("ASLBATCH_FAULT_HANG_TEXT")
    translate = module.Translate.translate

    def fatal(stage, texts, report=None):
        if kills in texts:
            os.kill(os.getpid(), signal.SIGKILL)
        if hangs in texts:
            time.sleep(_FOREVER_S)
        return translate(stage, texts, report)

    module.Translate.translate = fatal


_PATCHES = {}
if "ASLBATCH_FAULT_HOLD_COMMIT" in os.environ:
    _PATCHES["aslbatch.storage.folder"] = _hold_commit
if {"ASLBATCH_FAULT_KILL_TEXT", "ASLBATCH_FAULT_HANG_TEXT"} & os.environ.keys():
    _PATCHES["aslbatch.stages.translate"] = _fatal_texts


class _Patcher(MetaPathFinder):
    """Finds modules as Python does, and patches them once they are run."""

    def find_spec(self, name, path, target=None):
        patch = _PATCHES.get(name)
        spec = PathFinder.find_spec(name, path, target) if patch else None
        if spec is None:
            return None
        run = spec.loader.exec_module

        def run_and_patch(module):
            run(module)
            patch(module)

        spec.loader.exec_module = run_and_patch
        return spec


if _PATCHES:
    sys.meta_path.insert(0, _Patcher())
