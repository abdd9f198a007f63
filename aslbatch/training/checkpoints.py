"""States of a training that survive whatever kills it: a file, and a record that makes it count.

The record is written last and holds the file's hash, as with the shards of a translation: half a
state, or a damaged one, is never gone on from.
"""

import io
import json
import logging
import re
from typing import Any

import torch

from aslbatch.errors import SinkError
from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.storage.folder import Storage
from aslbatch.training.world import World

_RECORD = re.compile(r"step-(\d+)\.json")
_log = logging.getLogger(__name__)


class Checkpoints:
    """States in a folder, named after the number of steps done."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def save(self, state: dict[str, Any]) -> None:
        """Store a state, which has a `step`."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        data, name = buffer.getvalue(), _name(state["step"])
        self._storage.publish(f"{name}.pt", data)
        record = {"step": state["step"], "size": len(data), "sha256": sha256_bytes(data)}
        self._storage.publish(f"{name}.json", json.dumps(record).encode())

    def steps(self) -> list[int]:
        """Return the steps of which there are states, in their order."""
        found = map(_RECORD.fullmatch, self._storage.names(""))
        return sorted(int(match[1]) for match in found if match)

    def load(self, step: int) -> dict[str, Any] | None:
        """Return a state on the CPU, or None where it is not what its record says."""
        name = _name(step)
        try:
            record = json.loads(self._storage.read(f"{name}.json"))
            data = self._storage.read(f"{name}.pt")
        except (FileNotFoundError, ValueError):
            return None
        if (len(data), sha256_bytes(data)) != (record.get("size"), record.get("sha256")):
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        return state

    def newest(self) -> dict[str, Any] | None:
        """Return the newest state that is whole, or None where there is none."""
        for step in reversed(self.steps()):
            if (state := self.load(step)) is not None:
                return state
            _log.warning("%s: the state of step %d is damaged; going back", self._storage.uri, step)
        return None

    def resume(self, world: World) -> dict[str, Any] | None:
        """Return the state that all workers go on from: the newest that is whole for the first one.

        Damaged ones are deleted, so that none counts among those that are kept.

        Raises:
            SinkError: This worker does not see it as the first one does.
        """
        state = self.newest() if world.rank == 0 else None
        step = world.agree(state["step"] if state else None)
        if world.rank == 0:
            self.keep({each for each in self.steps() if state and each <= state["step"]})
        elif step is not None and (state := self.load(step)) is None:
            raise SinkError(
                f"{self._storage.uri}: worker {world.rank} does not see the state of step {step} "
                f"that the first one goes on from; set sink.path to a URL, or to a full path on a "
                f"disk that all nodes share"
            )
        return state

    def keep(self, steps: set[int]) -> None:
        """Delete all states but some; the record first, so that none is left without its file."""
        for step in self.steps():
            if step not in steps:
                self._storage.delete(f"{_name(step)}.json")
                self._storage.delete(f"{_name(step)}.pt")


def _name(step: int) -> str:
    return f"step-{step:08d}"
