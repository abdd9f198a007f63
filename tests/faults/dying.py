"""Work on an output folder in a process that kills itself at a chosen step.

A step is one change of the folder: a file about to get its name, when only its temporary one is
there, or a file or folder about to be deleted. So between two steps nothing changes that a
kill could tell apart.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aslbatch.pipelines.accounts import load_plan
from aslbatch.pipelines.compact import compact
from aslbatch.pipelines.finish import Limits, close_output
from aslbatch.storage import local_files
from aslbatch.storage.folder import Storage

Work = Callable[[Storage], object]

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["aslbatch.pipelines.compact"])
_PATIENCE_S = 60


def compaction(rows_per_file: int) -> Work:
    """Return what `aslbatch compact` does."""
    return partial(compact, rows_per_file=rows_per_file)


def job_end(out: Storage) -> None:
    """Do what the job does when all of its shards are committed."""
    close_output(out, load_plan(out), limits=Limits(), holding=False)


def dies(folder: Path, work: Work, step: int) -> bool:
    """Have a process do some work that is killed at a step, from 1; return whether it was."""
    process = _FORKS.Process(target=_work, args=(folder, work, step))
    process.start()
    process.join(_PATIENCE_S)
    if process.exitcode not in (0, -signal.SIGKILL):
        raise AssertionError(f"step {step}: ended with {process.exitcode}")
    return process.exitcode != 0


def _work(folder: Path, work: Work, step: int) -> None:
    left = step

    def count_down() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(function: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            count_down()
            return function(*arguments)

        return counted

    local_files._replace = stepping(local_files._replace)
    local_files._link = stepping(local_files._link)
    Storage.delete = stepping(Storage.delete)
    work(Storage(str(folder)))
