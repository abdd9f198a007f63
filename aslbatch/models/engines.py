"""Which engine runs a checkpoint, and on what."""

from pathlib import Path

import torch

from aslbatch.models.engine import Engine
from aslbatch.models.loading import choose_device, choose_precision, load_model
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.models.transformers_engine import TransformersEngine

_MAX_TOKENS = {"cpu": 1_024, "cuda": 16_384}


def load_engine(
    folder: Path,
    *,
    languages: tuple[str, ...],
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
) -> tuple[Engine, Tokenizer]:
    """Load a checkpoint into an engine.

    Args:
        folder: The checkpoint's folder.
        languages: mBART-50 codes that it must know.
        precision: `auto`, `float32`, `bfloat16` or `float16`.
        device: `auto`, `cpu` or `cuda`.
        threads: CPU threads of a computation; None leaves torch's own choice.

    Raises:
        ModelError: The checkpoint is not what a translation needs.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    device = choose_device(device)
    loaded = load_model(
        folder, languages=languages, precision=choose_precision(precision, device), device=device
    )
    return TransformersEngine(loaded), loaded.tokenizer


def default_max_tokens(device: str) -> int:
    """Return how many padded tokens a batch holds where the configuration leaves it open.

    On a CPU larger batches gain little and cost memory; an accelerator needs hundreds of
    sentences at once.
    """
    return _MAX_TOKENS[choose_device(device)]
