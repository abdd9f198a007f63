"""Load an mBART-50 checkpoint and check that it is what a translation needs."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import MBartForConditionalGeneration

from aslbatch.errors import ModelError
from aslbatch.models.tokenizer import Tokenizer

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in evaluation mode on its device, with its tokenizer."""

    model: MBartForConditionalGeneration
    tokenizer: Tokenizer


def choose_device() -> str:
    """Return `cuda` where there is an accelerator, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def load_model(
    folder: Path, *, languages: tuple[str, ...], precision: str, device: str
) -> LoadedModel:
    """Load a checkpoint for inference.

    Args:
        folder: The checkpoint's folder, see `aslbatch.models.checkpoint`.
        languages: mBART-50 codes that it must know.
        precision: A key of `PRECISIONS`.
        device: A torch device.

    Raises:
        ModelError: A language is missing, or the sizes of vocabulary, embeddings and
            configuration differ, or weights are missing or not tied.
    """
    tokenizer = Tokenizer.load(folder)
    for language in languages:
        tokenizer.language_id(language)
    try:
        model, report = MBartForConditionalGeneration.from_pretrained(
            folder,
            dtype=PRECISIONS[precision],
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"{folder}: the weights cannot be loaded ({error})") from error
    _check_weights(folder, model, report, len(tokenizer))
    model.config.decoder_start_token_id = tokenizer.eos_id
    return LoadedModel(model.eval().to(device), tokenizer)


def _check_weights(
    folder: Path,
    model: MBartForConditionalGeneration,
    report: dict[str, set[str]],
    vocabulary_size: int,
) -> None:
    missing = sorted(str(key) for key in report.get("missing_keys") or ())
    mismatched = sorted(str(key) for key in report.get("mismatched_keys") or ())
    if missing or mismatched:
        raise ModelError(
            f"{folder}: weights are missing ({missing[:5]}) or of another shape than config.json "
            f"says ({mismatched[:5]}); save the whole model with save_pretrained"
        )
    embedding = model.get_input_embeddings().weight
    sizes = {
        "tokenizer": vocabulary_size,
        "embedding rows": embedding.shape[0],
        "config.json vocab_size": model.config.vocab_size,
        "final_logits_bias": model.final_logits_bias.shape[-1],
    }
    if len(set(sizes.values())) > 1:
        raise ModelError(
            f"{folder}: vocabulary sizes differ: {sizes}; expected one size, so resize the "
            f"embeddings to the tokenizer before saving (without pad_to_multiple_of)"
        )
    tied = (model.model.encoder.embed_tokens, model.model.decoder.embed_tokens, model.lm_head)
    if any(part.weight.data_ptr() != embedding.data_ptr() for part in tied):
        raise ModelError(
            f"{folder}: encoder, decoder and output embeddings are not tied; expected an mBART "
            f"checkpoint with tie_word_embeddings"
        )
