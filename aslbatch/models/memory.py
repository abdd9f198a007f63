"""Tell too little memory from other errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from aslbatch.models.engine import EngineOutOfMemoryError

_SIGNS = (
    "DefaultCPUAllocator",
    "can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


@contextmanager
def memory_told_apart() -> Iterator[None]:
    """Raise what torch says of too little memory as the error that the protocol has for it."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise EngineOutOfMemoryError(str(error)) from error
    except RuntimeError as error:
        if any(sign in str(error) for sign in _SIGNS):
            raise EngineOutOfMemoryError(str(error)) from error
        raise
