"""Draw tokens at random, so that what is drawn depends on the sentence and the seed alone.

A token is drawn by adding noise to each log-probability and taking the best (Gumbel-max, see
Maddison et al. 2014, https://arxiv.org/abs/1411.0030). The noise is a hash of the sentence's
number, the step and the token: no state, so neither a sentence's company nor its slot matters.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_MULTIPLIERS = (0x85EBCA6B, 0xC2B2AE35)
_GOLDEN = 0x9E3779B1
_MASK = 0xFFFFFFFF
_BITS = 32


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn, with the meaning that transformers' `generate` gives these.

    Attributes:
        temperature: Divides the logits.
        top_k: Draw among the k most probable only; 0 means all.
        top_p: Draw among the fewest that reach this probability; 1.0 means all.
    """

    temperature: float
    top_k: int
    top_p: float


def drawn_tokens(
    logits: Tensor, sampling: Sampling, draws: Tensor, step: Tensor
) -> tuple[Tensor, Tensor]:
    """Draw a token for each row.

    Args:
        logits: float32 [n, tokens].
        sampling: How.
        draws: int64 [n]; a number for each sentence.
        step: int64 [n]; which of its tokens this is.

    Returns:
        Log-probabilities under the model itself, float32 [n, 2], and tokens, int64 [n, 2]: the one
        that was drawn, and one that is never taken, as a search wants two of each beam.
    """
    warped = _only_likely(logits / sampling.temperature, sampling)
    drawn = (warped + _gumbel(draws, step, logits.shape[1])).argmax(1, keepdim=True)
    log_prob = logits.gather(1, drawn) - logits.logsumexp(1, keepdim=True)
    never = torch.full_like(log_prob, -torch.inf)
    return torch.cat([log_prob, never], 1), drawn.expand(-1, 2)


def _only_likely(logits: Tensor, sampling: Sampling) -> Tensor:
    if sampling.top_k:
        least = logits.topk(min(sampling.top_k, logits.shape[1])).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if sampling.top_p < 1:
        ordered, order = logits.sort(descending=True)
        before = ordered.softmax(1).cumsum(1) - ordered.softmax(1)
        ordered = ordered.masked_fill(before >= sampling.top_p, -torch.inf)
        logits = torch.empty_like(logits).scatter_(1, order, ordered)
    return logits


def _gumbel(draws: Tensor, step: Tensor, tokens: int) -> Tensor:
    """Return Gumbel noise, float32 [n, tokens], from the 32-bit finalizer of MurmurHash3."""
    seeds = _hashed((draws & _MASK) ^ _hashed((draws >> 32 & _MASK) ^ step))
    places = torch.arange(tokens, device=draws.device) * _GOLDEN & _MASK
    return _gumbel_of(_hashed(seeds[:, None] ^ places))


def _gumbel_of(hashed: Tensor) -> Tensor:
    """Return noise for hashes of 32 bits; precise, and finite, where it is largest."""
    uniform = (hashed.float() + 0.5) / 2**_BITS
    return -torch.log(-torch.log1p(-uniform))


def _hashed(values: Tensor) -> Tensor:
    values = values ^ values >> 16
    for multiplier, shift in zip(_MULTIPLIERS, (13, 16), strict=True):
        values = values * multiplier & _MASK
        values = values ^ values >> shift
    return values
