"""The workers that share a training: what one has computed, added up over all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class World:
    """A worker among others; one alone where `torch.distributed` was not set up.

    Attributes:
        rank: Which one it is, from 0.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> "World":
        """Return the place of this process."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls()
        return cls(distributed.get_rank(), distributed.get_world_size())

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors of one device by their sums over all workers, in one message."""
        if self.size == 1:
            return
        listed = list(tensors)
        flat = torch.cat([tensor.detach().float().flatten() for tensor in listed])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in listed])
        for tensor, part in zip(listed, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def gather(self, values: Sequence[Any]) -> list[Any]:
        """Return the values of all workers, in the order in which `share` gave them out."""
        if self.size == 1:
            return list(values)
        parts: list[list[Any]] = [[] for _ in range(self.size)]
        distributed.all_gather_object(parts, list(values))
        longest = max(map(len, parts))
        rows = ([part[index] for part in parts if index < len(part)] for index in range(longest))
        return list(chain.from_iterable(rows))

    def agree(self, value: _T) -> _T:
        """Return the first worker's value to all of them."""
        agreed: _T = self.gather([value])[0]
        return agreed

    def share(self, values: Sequence[_T]) -> Sequence[_T]:
        """Return the values that are this worker's to deal with."""
        return values[self.rank :: self.size]

    def wait(self) -> None:
        """Wait until all workers have come here."""
        if self.size > 1:
            distributed.barrier()
