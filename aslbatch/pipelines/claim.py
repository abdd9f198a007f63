"""One at a time: a small file in the output folder says which process replaces files there."""

import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from aslbatch.errors import SinkError
from aslbatch.shards.layout import CLAIM
from aslbatch.storage.folder import Storage

RETRY = "retry"
COMPACT = "compaction"
FINISH = "clean-up"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the claim.

    Attributes:
        task: What it does there.
        host: The machine it runs on.
        pid: Its number there.
        token: Drawn by lot: containers may have the same name, and the same number inside.
    """

    task: str
    host: str
    pid: int
    token: str = ""

    def may_be_alive(self) -> bool:
        """Return whether the process may still run; of another machine's that is not known."""
        if self.host != socket.gethostname():
            return True
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
    try:
        return Holder(**json.loads(storage.read(CLAIM)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise SinkError(
            f"{storage.uri}/{CLAIM} is damaged ({error}); if no retry and no compaction is at "
            f"work there, delete it"
        ) from error


def holder(storage: Storage) -> Holder | None:
    """Return who is at work in an output folder, None where nobody is."""
    found = last_holder(storage)
    return found if found is not None and found.may_be_alive() else None


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
def claimed(storage: Storage, task: str) -> Iterator[None]:
    """Keep all others out that would replace files of the folder while the block runs.

    The claim of a dead process is taken over. When the block fails the claim is released all the
    same: what it leaves is no different from what a killed one leaves.

    Raises:
        SinkError: Another process is at work, or died on another machine.
    """
    this = Holder(task, socket.gethostname(), os.getpid(), uuid.uuid4().hex)
    content = json.dumps(asdict(this)).encode()
    if not storage.publish_new(CLAIM, content):
        if other := holder(storage):
            raise at_work(storage, other)
        storage.publish(CLAIM, content)
    try:
        yield
    finally:
        storage.delete(CLAIM)
