"""One retry at a time: a small file in the output folder says which process is at it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from aslbatch.errors import SinkError
from aslbatch.shards.layout import RETRY
from aslbatch.shards.storage import Storage


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that retries."""

    host: str
    pid: int

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


def holder(storage: Storage) -> Holder | None:
    """Return who retries in an output folder, None where nobody does."""
    try:
        found = Holder(**json.loads(storage.read(RETRY)))
    except FileNotFoundError:
        return None
    return found if found.may_be_alive() else None


@contextmanager
def claimed(storage: Storage) -> Iterator[None]:
    """Keep other retries out while the block runs, since all would replace the same shards.

    Raises:
        SinkError: Another retry is at work, or died on another machine.
    """
    content = json.dumps(asdict(Holder(socket.gethostname(), os.getpid()))).encode()
    if not storage.publish_new(RETRY, content):
        if other := holder(storage):
            raise SinkError(
                f"{storage.uri}: a retry is at work there already, process {other.pid} on "
                f"{other.host}; wait for it, or, if it is dead, delete {storage.uri}/{RETRY}"
            )
        storage.publish(RETRY, content)
    try:
        yield
    finally:
        storage.delete(RETRY)
