"""Processes that can be found again: while one lives, a file is locked.

The lock is handed to the process when it is started. So no moment is left in which it is not known,
whatever happens to who started it, and no other process is ever taken for it.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from aslbatch.errors import TeacherError

_SHELL = """
trap : TERM INT
pid=$1 part=$2 final=$3 failed=$4
shift 4
echo $$ > "$pid"
"$@"
code=$?
if [ $code -eq 0 ] && mv -f "$part" "$final"; then :
else echo "exit code $code" >&2; echo $code > "$failed"; fi
exit $code
"""
"""Runs a command and renames its output; ends with it, when all are asked to end."""

_GRACE_S, _LOOK_S = 10.0, 0.02
"""Seconds that processes have to end by themselves, and after which is looked again."""


def start(
    command: Sequence[str],
    *,
    lock: Path,
    pid: Path,
    log: Path,
    part: Path,
    final: Path,
    failed: Path,
) -> "subprocess.Popen[bytes]":
    """Start a command in a process group of its own.

    Args:
        command: The command, which writes `part`.
        lock: File that is locked while the command or anything started by it lives.
        pid: File that gets the number of the process group.
        log: File that gets all that the command prints.
        part: Its output, which is removed before.
        final: What its output is called after exit code 0.
        failed: File that gets any other exit code, or 0 without an output, and is removed before.
            Processes that the command left behind may live on.

    Returns:
        The group's first process, never to be waited for but by `end`.

    Raises:
        TeacherError: The lock is held, or there is no starting.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink(missing_ok=True)
        failed.unlink(missing_ok=True)
        with log.open("wb") as output:
            files = map(str, (pid, part, final, failed))
            return subprocess.Popen(
                ["/bin/sh", "-c", _SHELL, "sh", *files, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[descriptor],
                start_new_session=True,
            )
    except BlockingIOError:
        raise TeacherError(f"{lock.parent} belongs to a process that is running") from None
    except OSError as error:
        raise TeacherError(f"{command[0]} cannot be started: {error}") from error
    finally:
        os.close(descriptor)


def lives(lock: Path) -> bool:
    """Return whether the process that was given a lock is there."""
    with lock.open("rb") as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def end(started: list["subprocess.Popen[bytes]"]) -> None:
    """End processes with all of their groups, at first by asking; then the list is empty.

    They are not waited for before, so that their numbers cannot have gone to others.
    """
    _signal(started, signal.SIGTERM)
    give_up_at = time.monotonic() + _GRACE_S
    while any(map(_is_running, started)) and time.monotonic() < give_up_at:
        time.sleep(_LOOK_S)
    _signal(started, signal.SIGKILL)
    for process in started:
        process.wait()
    started.clear()


def _is_running(process: "subprocess.Popen[bytes]") -> bool:
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        return process.returncode is None and os.waitid(os.P_PID, process.pid, options) is None
    except ChildProcessError:  # where SIGCHLD is ignored
        return False


def _signal(started: list["subprocess.Popen[bytes]"], number: signal.Signals) -> None:
    for process in started:
        with suppress(ProcessLookupError):
            if process.returncode is None:
                os.killpg(process.pid, number)
