"""A random mBART model in memory, whose searches end after some tokens, not all at once."""

import torch
from transformers import MBartConfig, MBartForConditionalGeneration

_SPREAD = 0.4
_END_BIAS = 2.5


def random_model(
    vocabulary_size: int, seed: int, *, layers: int = 2
) -> MBartForConditionalGeneration:
    """Return a model with weights spread widely, so that hardly any two candidates are as good."""
    torch.manual_seed(seed)
    config = MBartConfig(
        vocab_size=vocabulary_size,
        d_model=16,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=128,
        init_std=_SPREAD,
        scale_embedding=True,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
    )
    model = MBartForConditionalGeneration(config).eval()
    model.final_logits_bias[0, config.eos_token_id] = _END_BIAS
    return model
