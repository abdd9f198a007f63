"""Check a checkpoint before any work starts, without loading its weights."""

import json
import math
import struct
from collections.abc import Iterator
from typing import Any

from aslbatch.errors import ModelError
from aslbatch.models.checkpoint import Checkpoint
from aslbatch.models.tokenizer import Tokenizer

_HEADER_LENGTH_BYTES = 8


def check_checkpoint(
    checkpoint: Checkpoint, languages: tuple[str, ...], *, max_length: int
) -> Tokenizer:
    """Check that a checkpoint knows its languages and that its vocabulary fits its weights.

    Only the tokenizer and the header of the weights are read (safetensors format,
    https://huggingface.co/docs/safetensors).

    Args:
        checkpoint: The checkpoint.
        languages: mBART-50 codes that it must know.
        max_length: Most tokens of a sentence, special ones too.

    Returns:
        Its tokenizer.

    Raises:
        ModelError: A language is missing, the vocabulary has another size than the embeddings, or
            the model has fewer positions than `max_length`.
    """
    tokenizer = Tokenizer.load(checkpoint.folder)
    for language in languages:
        tokenizer.language_id(language)
    config = json.loads((checkpoint.folder / "config.json").read_text(encoding="utf-8"))
    positions = config.get("max_position_embeddings", max_length)
    if max_length > positions:
        raise ModelError(
            f"{checkpoint.name}: decoding.max_length is {max_length}, but the model has "
            f"{positions} positions; lower decoding.max_length"
        )
    rows = _embedding_rows(checkpoint)
    if rows is not None and rows != len(tokenizer):
        raise ModelError(
            f"{checkpoint.name}: {rows} embedding rows for a vocabulary of {len(tokenizer)}; "
            f"expected one size, so resize the embeddings to the tokenizer before saving (without "
            f"pad_to_multiple_of)"
        )
    return tokenizer


def count_weights(checkpoint: Checkpoint) -> int:
    """Return how many numbers a checkpoint holds, those that are tied once.

    Raises:
        ModelError: A file is damaged.
    """
    return sum(
        math.prod(tensor["shape"])
        for header in _headers(checkpoint)
        for name, tensor in header.items()
        if name != "__metadata__"
    )


def _embedding_rows(checkpoint: Checkpoint) -> int | None:
    """Return the rows of the shared embedding matrix, None where no file names it."""
    for header in _headers(checkpoint):
        if "model.shared.weight" in header:
            return int(header["model.shared.weight"]["shape"][0])
    return None


def _headers(checkpoint: Checkpoint) -> Iterator[dict[str, Any]]:
    for file in sorted(checkpoint.folder.glob("*.safetensors")):
        try:
            with file.open("rb") as weights:
                (length,) = struct.unpack("<Q", weights.read(_HEADER_LENGTH_BYTES))
                yield json.loads(weights.read(length))
        except (OSError, ValueError, struct.error, OverflowError, MemoryError) as error:
            raise ModelError(f"{file}: not a safetensors file ({error})") from error
