"""mBART's layers as plain functions of tensors, as the reference in transformers computes them.

Beside speed (queries, keys and values in one product, no masks made twice) there is one difference:
the residual stream is float32 whatever the weights are, which costs little and keeps low precision
near the reference.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import MBartForConditionalGeneration
from transformers.models.mbart.modeling_mbart import (
    MBartDecoder,
    MBartDecoderLayer,
    MBartEncoder,
    MBartEncoderLayer,
)

_POSITION_OFFSET = 2
"""The first rows of mBART's position embeddings are not used."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A product with a bias; several that read the same input are one."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, *modules: nn.Linear) -> "Linear":
        """Join linear layers; their outputs lie beside each other."""
        if len(modules) == 1:
            return cls(modules[0].weight.detach(), modules[0].bias.detach())
        return cls(
            torch.cat([module.weight.detach() for module in modules]),
            torch.cat([module.bias.detach() for module in modules]),
        )

    def __call__(self, states: Tensor) -> Tensor:
        """Return [..., outputs] for [..., inputs]."""
        return F.linear(states, self.weight, self.bias)


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer normalization in float32; its output has the type of the weights of the model."""

    weight: Tensor
    bias: Tensor
    eps: float
    dtype: torch.dtype

    @classmethod
    def of(cls, module: nn.LayerNorm, dtype: torch.dtype) -> "Norm":
        """Take the weights of a module."""
        weight, bias = module.weight.detach().float(), module.bias.detach().float()
        return cls(weight, bias, module.eps, dtype)

    def __call__(self, hidden: Tensor) -> Tensor:
        """Normalize the last dimension."""
        normed = F.layer_norm(hidden, self.weight.shape, self.weight, self.bias, self.eps)
        return normed.to(self.dtype)


@dataclass(frozen=True, slots=True)
class FeedForward:
    """The block of two products."""

    norm: Norm
    inner: Linear
    outer: Linear
    activation: Callable[[Tensor], Tensor]

    def __call__(self, hidden: Tensor) -> Tensor:
        """Return the residual stream after the block."""
        return hidden + self.outer(self.activation(self.inner(self.norm(hidden))))


@dataclass(frozen=True, slots=True)
class SelfAttention:
    """Projections of a layer's attention over its own sequence."""

    norm: Norm
    qkv: Linear
    out: Linear
    heads: int

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each [n, heads, length, head width]."""
        query, key, value = _split(self.qkv(self.norm(hidden)), 3, self.heads)
        return query, key, value

    def add(self, hidden: Tensor, attended: Tensor) -> Tensor:
        """Add what was attended to, [n, heads, length, head width], to the residual stream."""
        return hidden + self.out(_joined(attended))


@dataclass(frozen=True, slots=True)
class CrossAttention:
    """Projections of a decoder layer's attention over the source."""

    norm: Norm
    query: Linear
    key_value: Linear
    out: Linear
    heads: int

    def remember(self, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of a source, each [n, heads, source length, head width]."""
        key, value = _split(self.key_value(encoded), 2, self.heads)
        return key, value

    def __call__(self, hidden: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """Return the residual stream after attention over keys and values of the source."""
        (query,) = _split(self.query(self.norm(hidden)), 1, self.heads)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return hidden + self.out(_joined(attended))


@dataclass(frozen=True, slots=True)
class Embedding:
    """Token and position embeddings; the result is float32, normalized."""

    tokens: Tensor
    positions: Tensor
    scale: float
    norm: Norm

    def __call__(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Return float32 [..., width] for token ids, and positions that broadcast to them."""
        placed = F.embedding(positions + _POSITION_OFFSET, self.positions).float()
        return self.norm(F.embedding(tokens, self.tokens).float() * self.scale + placed)


@dataclass(frozen=True, slots=True)
class EncoderLayer:
    """Attention over the source, then the block of two products."""

    attention: SelfAttention
    feed_forward: FeedForward


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """Attention over the target, then over the source, then the block of two products."""

    attention: SelfAttention
    cross: CrossAttention
    feed_forward: FeedForward


@dataclass(frozen=True, slots=True)
class Layers:
    """A whole model but its output matrix.

    Attributes:
        dtype: Number format of weights and of attention.
        heads: Of attention.
        head_width: Of each of them.
    """

    dtype: torch.dtype
    heads: int
    head_width: int
    encoder_embedding: Embedding
    encoder: tuple[EncoderLayer, ...]
    encoder_norm: Norm
    decoder_embedding: Embedding
    decoder: tuple[DecoderLayer, ...]
    decoder_norm: Norm

    @classmethod
    def of(cls, model: MBartForConditionalGeneration) -> "Layers":
        """Take the weights of a loaded model."""
        config, dtype = model.config, model.dtype
        encoder, decoder = model.model.encoder, model.model.decoder
        heads = config.decoder_attention_heads
        scale = math.sqrt(config.d_model) if config.scale_embedding else 1.0
        return cls(
            dtype=dtype,
            heads=heads,
            head_width=config.d_model // heads,
            encoder_embedding=_embedding(encoder, scale),
            encoder=tuple(
                EncoderLayer(
                    _self_attention(layer, config.encoder_attention_heads, dtype),
                    _feed_forward(layer, dtype),
                )
                for layer in encoder.layers
            ),
            encoder_norm=Norm.of(encoder.layer_norm, dtype),
            decoder_embedding=_embedding(decoder, scale),
            decoder=tuple(
                DecoderLayer(
                    _self_attention(layer, heads, dtype),
                    _cross_attention(layer, heads, dtype),
                    _feed_forward(layer, dtype),
                )
                for layer in decoder.layers
            ),
            decoder_norm=Norm.of(decoder.layer_norm, dtype),
        )

    def encode(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Encode sources.

        Args:
            tokens: int64 [n, longest].
            bias: [n, 1, 1, longest]; -inf past the end of a source, else 0.

        Returns:
            [n, longest, width] in the type of the weights; what is past a length means nothing.
        """
        places = torch.arange(tokens.shape[1], device=tokens.device)
        hidden = self.encoder_embedding(tokens, places)
        for layer in self.encoder:
            query, key, value = layer.attention.project(hidden)
            attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
            hidden = layer.feed_forward(layer.attention.add(hidden, attended))
        return self.encoder_norm(hidden)


def _split(states: Tensor, parts: int, heads: int) -> Tensor:
    """Return [parts, n, heads, length, head width] of projections that lie beside each other."""
    return states.view(*states.shape[:2], parts, heads, -1).permute(2, 0, 3, 1, 4)


def _joined(states: Tensor) -> Tensor:
    """Return [n, length, width] of what each head has."""
    return states.transpose(1, 2).flatten(2)


def _embedding(part: MBartEncoder | MBartDecoder, scale: float) -> Embedding:
    return Embedding(
        part.embed_tokens.weight.detach(),
        part.embed_positions.weight.detach(),
        scale,
        Norm.of(part.layernorm_embedding, torch.float32),
    )


def _self_attention(
    layer: MBartEncoderLayer | MBartDecoderLayer, heads: int, dtype: torch.dtype
) -> SelfAttention:
    attention = layer.self_attn
    return SelfAttention(
        Norm.of(layer.self_attn_layer_norm, dtype),
        Linear.of(attention.q_proj, attention.k_proj, attention.v_proj),
        Linear.of(attention.out_proj),
        heads,
    )


def _cross_attention(layer: MBartDecoderLayer, heads: int, dtype: torch.dtype) -> CrossAttention:
    attention = layer.encoder_attn
    return CrossAttention(
        Norm.of(layer.encoder_attn_layer_norm, dtype),
        Linear.of(attention.q_proj),
        Linear.of(attention.k_proj, attention.v_proj),
        Linear.of(attention.out_proj),
        heads,
    )


def _feed_forward(layer: MBartEncoderLayer | MBartDecoderLayer, dtype: torch.dtype) -> FeedForward:
    return FeedForward(
        Norm.of(layer.final_layer_norm, dtype),
        Linear.of(layer.fc1),
        Linear.of(layer.fc2),
        layer.activation_fn,
    )
