"""The smallest checkpoint that is a real one."""

from pathlib import Path

import torch
from transformers import MBart50Tokenizer, MBartConfig, MBartForConditionalGeneration


def tiny_checkpoint(folder: Path, *, gloss: bool = True) -> Path:
    """Write a random mBART-50 checkpoint: all parts are there, none has learned.

    Its vocabulary is single characters and, with `gloss`, the code `asl_GL`; its largest matrix has
    some thousand numbers.
    """
    letters = [chr(code) for code in range(33, 127)]
    pieces = ["<unk>", "<s>", "</s>", "▁", *letters, *(f"▁{letter}" for letter in letters)]
    tokenizer = MBart50Tokenizer(vocab=[(piece, -float(len(piece))) for piece in pieces])
    tokenizer.add_special_tokens(
        {"bos_token": "<s>", "extra_special_tokens": ["asl_GL"] if gloss else []},
        replace_extra_special_tokens=False,
    )
    torch.manual_seed(0)
    config = MBartConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=256,
        scale_embedding=True,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
        tokenizer_class="MBart50Tokenizer",
    )
    MBartForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
