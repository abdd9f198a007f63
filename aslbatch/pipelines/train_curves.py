"""Curves of a training for TensorBoard."""

import tempfile
from pathlib import Path

from tensorboardX import SummaryWriter

from aslbatch.storage.folder import Storage


class Curves:
    """Writes curves beside the output; on an object store, whenever a state is kept."""

    def __init__(self, storage: Storage, *, resumed_at: int) -> None:
        """Begin to write.

        Args:
            storage: The folder of the curves.
            resumed_at: Steps already done; what a killed run had written past them is dropped.
        """
        self._storage = storage
        self._scratch = None if storage.is_local else tempfile.TemporaryDirectory()
        self._folder = Path(self._scratch.name if self._scratch else storage.location)
        self._writer = SummaryWriter(str(self._folder), purge_step=resumed_at + 1)

    def stepped(self, step: int, loss: float) -> None:
        """Add the loss of a step, in nats a target token."""
        self._writer.add_scalar("loss", loss, step)

    def measured(self, step: int, scores: dict[str, float]) -> None:
        """Add scores on validation data."""
        for name, score in scores.items():
            self._writer.add_scalar(f"validation/{name}", score, step)

    def publish(self) -> None:
        """Write what is held back."""
        self._writer.flush()
        if self._scratch:
            for path in self._folder.iterdir():
                self._storage.publish(path.name, path.read_bytes())
