"""Calling PEFT without warnings that are not for its users."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def peft_called() -> Iterator[None]:
    """Hold back what PEFT 0.21 warns of.

    It asks transformers by a name that the latter is about to drop; and tensors that an adapter
    lacks are an error of ours.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing.*", FutureWarning)
        warnings.filterwarnings("ignore", "Found missing adapter keys", UserWarning)
        yield
