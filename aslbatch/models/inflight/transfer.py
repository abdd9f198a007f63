"""Move small tensors between host and device so that neither waits for the other."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def sent(values: Sequence[Any], device: torch.device) -> Tensor:
    """Return integers as int64 on a device; what was launched on it before goes on meanwhile."""
    tensor = torch.tensor(values, dtype=torch.int64)
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


class Arriving:
    """Tensors on their way to the host."""

    def __init__(self, *tensors: Tensor) -> None:
        self._copies = [_copy(tensor) for tensor in tensors]
        self._event = None
        if tensors[0].is_cuda:
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record()

    def get(self) -> list[list[Any]]:
        """Return them as lists; waits where they are not there yet."""
        if self._event is not None:
            self._event.synchronize()
        return [copy.tolist() for copy in self._copies]


def _copy(tensor: Tensor) -> Tensor:
    if not tensor.is_cuda:
        return tensor.clone()
    copy = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return copy.copy_(tensor, non_blocking=True)
