"""The least time that a chip needs for a translation: counted work over measured rates.

What is counted is the matrix products of encoder and decoder, and the keys and values that
attention reads from memory; the rest (norms, softmax, the search itself) could be hidden in them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import MBartConfig

_SIZE = 8_192
_REPEATS = 20
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Rates:
    """What the chip does at best, as measured on it.

    Attributes:
        flops: Floating-point operations a second of a square product.
        bytes: Bytes a second, read and written, of a copy.
    """

    flops: float
    bytes: float


def measured_rates(device: str, dtype: torch.dtype, size: int = _SIZE) -> Rates:
    """Time a square product, and a copy of a large vector."""
    left = torch.randn(size, size, device=device, dtype=dtype)
    right = torch.randn(size, size, device=device, dtype=dtype)
    product = torch.empty_like(left)
    source = torch.empty(size * size * 8, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    product_s = seconds(lambda: torch.mm(left, right, out=product), device)
    copy_s = seconds(lambda: target.copy_(source), device)
    return Rates(2 * size**3 / product_s, 2 * source.numel() / copy_s)


def seconds(work: Callable[[], object], device: str, repeats: int = _REPEATS) -> float:
    """Return the time of some work, mean of repeats after a warm-up."""
    for _ in range(_WARM_UP):
        work()
    synchronize(device)
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    synchronize(device)
    return (time.perf_counter() - started) / repeats


def synchronize(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


@dataclass(frozen=True, slots=True)
class Floor:
    """The least seconds for a corpus, encoder and decoder apart."""

    encoder_s: float
    decoder_s: float


def floor(
    config: MBartConfig,
    rates: Rates,
    *,
    source_lengths: Sequence[int],
    target_lengths: Sequence[int],
    beams: int,
    vocabulary: int,
    bytes_each: int = 2,
) -> Floor:
    """Return the least time for sentences.

    Args:
        config: Says the model's shape.
        rates: What the chip does at best.
        source_lengths: Tokens of each source.
        target_lengths: Tokens of each target, its language and its end among them.
        beams: Hypotheses at each step.
        vocabulary: Rows of the output matrix.
        bytes_each: Of a number in the caches.
    """
    width, ffn = config.d_model, config.decoder_ffn_dim
    layers = config.decoder_layers
    encoder_weights = config.encoder_layers * (4 * width**2 + 2 * width * config.encoder_ffn_dim)
    cross_weights = layers * 2 * width**2
    decoder_weights = layers * (6 * width**2 + 2 * width * ffn)
    encoder_flops = decoder_flops = cache_bytes = 0
    for source, target in zip(source_lengths, target_lengths, strict=True):
        attention = 4 * source * width * config.encoder_layers
        encoder_flops += source * (2 * (encoder_weights + cross_weights) + attention)
        # Start and language are read at once, by one beam; the end needs no step.
        steps = target - 2
        scored = 1 + beams * steps
        decoder_flops += 2 * (decoder_weights * (1 + scored) + vocabulary * width * scored)
        # A step reads what came before, of which half is there on average, for all beams.
        reads = steps * (beams * target / 2 + source) * 2 * width * layers
        decoder_flops += 2 * reads
        cache_bytes += reads * bytes_each
    return Floor(
        encoder_flops / rates.flops, decoder_flops / rates.flops + cache_bytes / rates.bytes
    )
