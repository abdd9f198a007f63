"""The checkpoint that training starts from: one with a row for the code of gloss."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import MBart50Tokenizer, MBartForConditionalGeneration

from aslbatch.models.tokenizer import Tokenizer
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE
from aslbatch.training.new_model import new_model
from aslbatch.training.saving import save_checkpoint
from aslbatch.training.vocabulary import add_gloss_code, learn_unigrams, tokenizer_of


def write_with_gloss(folder: Path, out: Path) -> None:
    """Write a checkpoint with the code for gloss added, if it lacks it.

    Its row starts as that of English. All other rows stay what they were, bit by bit, and there
    is no padding row, which CTranslate2 would refuse.

    Args:
        folder: An mBART-50 checkpoint.
        out: The folder to write.
    """
    model = MBartForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    )
    tokenizer = Tokenizer.load(folder).backend
    add_gloss(model, tokenizer)
    save_checkpoint(model, tokenizer, out)


def add_gloss(model: MBartForConditionalGeneration, tokenizer: MBart50Tokenizer) -> None:
    """Add the code for gloss to a model and its tokenizer, warm-started from English."""
    add_gloss_code(tokenizer)
    tokenizer.bos_token = tokenizer.bos_token or "<s>"
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    new, english = tokenizer.convert_tokens_to_ids([GLOSS_CODE, ENGLISH_CODE])
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        weight[new] = weight[english]
    model.tie_weights()


def write_new(
    texts: Sequence[str],
    out: Path,
    *,
    vocabulary: int,
    shape: Mapping[str, Any],
    dropout: float,
    seed: int,
) -> None:
    """Write a model with random weights and a vocabulary learned from text.

    Args:
        texts: Lines of both languages.
        out: The folder to write.
        vocabulary: Pieces to learn; language codes come on top.
        shape: `d_model`, `layers`, `heads`, `ffn_dim`, `max_positions`.
        dropout: Share of activations dropped in training.
        seed: Decides the weights.

    Raises:
        ValueError: The texts do not hold as many pieces.
    """
    tokenizer = tokenizer_of(learn_unigrams(texts, vocabulary))
    model = new_model(len(tokenizer), **shape, dropout=dropout, seed=seed)
    save_checkpoint(model, tokenizer, out)
