"""Writing a checkpoint folder that plain transformers loads and translates with as it is."""

import copy
import json
import os
import shutil
from pathlib import Path

import torch
from transformers import GenerationConfig, MBart50Tokenizer, MBartForConditionalGeneration

from aslbatch.text.languages import GLOSS_CODE

_MAX_LENGTH, _NUM_BEAMS = 128, 4
_OF_LOADING = ("is_local", "local_files_only")


def save_checkpoint(
    model: MBartForConditionalGeneration,
    tokenizer: MBart50Tokenizer,
    out: Path,
    *,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write model and tokenizer; the model itself stays as it is.

    It is told to translate into gloss with four beams unless asked otherwise. Files are written
    next to `out` and then moved, so that a reader never sees half a file.

    Args:
        model: The model.
        tokenizer: Its tokenizer; its source language must be a built-in one, or nothing loads it.
        out: The folder; files in it are replaced when all are ready.
        dtype: Number format of the weights.
    """
    staging = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    saved = model if model.dtype == dtype else copy.deepcopy(model).to(dtype)
    saved.config.tokenizer_class = "MBart50Tokenizer"
    saved.generation_config = GenerationConfig(
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
        forced_bos_token_id=tokenizer.convert_tokens_to_ids(GLOSS_CODE),
        max_length=_MAX_LENGTH,
        num_beams=_NUM_BEAMS,
        early_stopping=True,
    )
    saved.save_pretrained(staging)
    tokenizer.save_pretrained(staging)
    _forget_loading(staging / "tokenizer_config.json")
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(staging.iterdir()):
        path.chmod(0o644)
        path.replace(out / path.name)
    staging.rmdir()


def _forget_loading(path: Path) -> None:
    """Drop how a tokenizer was loaded, which transformers keeps among its settings."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in settings.items() if key not in _OF_LOADING}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
