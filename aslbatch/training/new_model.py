"""A small model with mBART-50's architecture and random weights."""

import torch
from torch import Tensor
from transformers import MBartConfig, MBartForConditionalGeneration

_PAD, _EOS = 1, 2


def new_model(
    vocab_size: int,
    *,
    d_model: int = 192,
    layers: int = 2,
    heads: int = 6,
    ffn_dim: int = 512,
    max_positions: int = 256,
    dropout: float = 0.0,
    embeddings: Tensor | None = None,
    seed: int = 13,
) -> MBartForConditionalGeneration:
    """Make a randomly initialized model with mBART-50's architecture.

    Args:
        vocab_size: Rows of the embedding; all of them must be tokens.
        d_model: Width of the model.
        layers: Layers of the encoder, and as many of the decoder.
        heads: Attention heads a layer.
        ffn_dim: Inner width of the feed-forward blocks.
        max_positions: Longest input or output, in tokens.
        dropout: Share of activations dropped in training, of attention none.
        embeddings: Float32 (vocab_size, d_model) to start from instead of random numbers.
        seed: Decides the random weights.
    """
    torch.manual_seed(seed)
    config = MBartConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=ffn_dim,
        decoder_ffn_dim=ffn_dim,
        max_position_embeddings=max_positions,
        dropout=dropout,
        attention_dropout=0.0,
        activation_dropout=0.0,
        activation_function="gelu",
        scale_embedding=True,
        decoder_start_token_id=_EOS,
        forced_eos_token_id=_EOS,
        pad_token_id=_PAD,
        bos_token_id=0,
        eos_token_id=_EOS,
        tie_word_embeddings=True,
        init_std=d_model**-0.5,
        tokenizer_class="MBart50Tokenizer",
        normalize_before=True,
        normalize_embedding=True,
        add_final_layer_norm=True,
    )
    model = MBartForConditionalGeneration(config)
    with torch.no_grad():
        if embeddings is not None:
            model.model.shared.weight.copy_(embeddings)
        for stack in (model.model.encoder, model.model.decoder):
            weight = stack.embed_positions.weight
            weight.copy_(_sinusoids(*weight.shape))
    return model


def _sinusoids(count: int, width: int) -> Tensor:
    """Return the position code of Vaswani et al. (2017), (count, width), at half amplitude."""
    position = torch.arange(count, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-9.21034 / width))
    return 0.5 * torch.cat([torch.sin(position * rate), torch.cos(position * rate)], dim=1)
