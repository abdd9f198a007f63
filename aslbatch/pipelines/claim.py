"""One at a time: a small file in the output folder says which process replaces files there."""

import json
import os
import posixpath
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from aslbatch.errors import SinkError
from aslbatch.shards.layout import CLAIM, SUCCESS
from aslbatch.storage.folder import Storage

RETRY = "retry"
COMPACT = "compaction"
FINISH = "clean-up"
LABELING = "labeling"
OVERWRITE = "deletion"


_drawn: set[str] = set()
"""Tokens of this process."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the claim.

    Attributes:
        task: What it does there.
        host: The machine it runs on.
        pid: Its number there.
        token: Drawn by lot: containers may have the same name, and the same number inside.
        had_success: Whether `_SUCCESS` was there when the folder was claimed, or was when the dead
            process whose claim was taken over had claimed it.
    """

    task: str
    host: str
    pid: int
    token: str = ""
    had_success: bool = False

    def may_be_alive(self) -> bool:
        """Return whether the process may still run; of another machine's that is not known."""
        if self.host != socket.gethostname():
            return True
        if self.pid == os.getpid() and self.token not in _drawn:
            return False  # of a process that had this number before, as all containers' first has
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def __str__(self) -> str:
        return f"a {self.task}, process {self.pid} on {self.host}"


def last_holder(storage: Storage) -> Holder | None:
    """Return who claimed an output folder and did not release it, dead or alive.

    Raises:
        SinkError: The claim cannot be read.
    """
    return _read_holder(storage, CLAIM)


def _read_holder(storage: Storage, name: str) -> Holder | None:
    try:
        return Holder(**json.loads(storage.read(name)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise SinkError(
            f"{storage.uri}/{name} is damaged ({error}); if no other process is at work "
            f"there, delete it"
        ) from error


def claim_note(storage: Storage) -> str | None:
    """Return a line on who claimed an output folder and did not release it, and what to do."""
    other = last_holder(storage)
    if other is None:
        return None
    if other.may_be_alive():
        return f"at work there is {other}; wait for it"
    return (
        f"{other}, was begun and did not end; no row is lost, but some may be in two files: "
        f"begin it again, or run the job again"
    )


def at_work(storage: Storage, other: Holder) -> SinkError:
    """Return the error that says who is at work in an output folder, and what to do."""
    return SinkError(
        f"{storage.uri}: at work there is {other}; wait for it, or, if it is dead, delete "
        f"{storage.uri}/{CLAIM} and run the job again to its end"
    )


@contextmanager
def claimed(storage: Storage, task: str) -> Iterator[Holder]:
    """Keep all others out that would replace files of the folder while the block runs.

    The claim of a dead process is taken over, by one process only. When the block fails the claim
    is released all the same: what it leaves is no different from what a killed one leaves.

    Yields:
        The holder, which is this process.

    Raises:
        SinkError: Another process is at work, or died on another machine.
    """
    this = _claim(storage, task)
    try:
        # Notes that say who takes over lose their meaning with a new claim.
        for name in storage.names(posixpath.dirname(CLAIM)):
            if name.startswith(f"{posixpath.basename(CLAIM)}."):
                storage.delete(f"{posixpath.dirname(CLAIM)}/{name}")
        yield this
    finally:
        if last_holder(storage) == this:
            storage.delete(CLAIM)


def _claim(storage: Storage, task: str) -> Holder:
    this = Holder(
        task, socket.gethostname(), os.getpid(), uuid.uuid4().hex, storage.exists(SUCCESS)
    )
    _drawn.add(this.token)
    while not storage.publish_new(CLAIM, _stored(this)):
        dead = last_holder(storage)
        if dead is None:  # it was released just now
            continue
        if dead.may_be_alive():
            raise at_work(storage, dead)
        heir = replace(this, had_success=this.had_success or dead.had_success)
        if _take_over(storage, dead, heir):
            return heir
    return this


def _take_over(storage: Storage, dead: Holder, heir: Holder) -> bool:
    """Replace the claim of a dead process, unless it is no longer the one that is there.

    A note beside the claim, which one process can write, says who takes over. One that died over it
    is taken over in the same way, by a note on its token.

    Raises:
        SinkError: Another process is taking over.
    """
    last = dead
    while (other := _read_holder(storage, _note(last))) is not None:
        if other.may_be_alive():
            raise at_work(storage, other)
        last = other
    note = _note(last)
    if not storage.publish_new(note, _stored(heir)):
        raise at_work(storage, _read_holder(storage, note) or heir)
    try:
        # Whoever looked long ago gets the note of a process that has been taken over since.
        if last_holder(storage) != dead:
            return False
        storage.publish(CLAIM, _stored(heir))
    finally:
        storage.delete(note)
    return True


def _note(dead: Holder) -> str:
    return f"{CLAIM}.{dead.token or dead.pid}"


def _stored(this: Holder) -> bytes:
    return json.dumps(asdict(this)).encode()
