"""Calling PEFT without a warning that is not for its users."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def peft_called() -> Iterator[None]:
    """Hold back that PEFT 0.21 asks transformers by a name that the latter is about to drop."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing.*", FutureWarning)
        yield
