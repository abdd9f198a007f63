"""A training loop for a small mBART model from random weights, in plain PyTorch.

Examples come as an endless iterator of token ids, so nothing is seen twice; a pool of them is
sorted by length and cut into batches by a budget of padded tokens. One seed decides everything.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from transformers import MBartConfig, MBartForConditionalGeneration

_PAD, _EOS, _IGNORED = 1, 2, -100


class Example(NamedTuple):
    """A training example.

    Attributes:
        source: `[source_lang, ..., </s>]`.
        target: `[target_lang, ..., </s>]`.
    """

    source: list[int]
    target: list[int]


class Batch(NamedTuple):
    """Padded token ids, each of shape (examples, length), int64; labels are padded with -100."""

    input_ids: Tensor
    attention_mask: Tensor
    decoder_input_ids: Tensor
    labels: Tensor


def new_model(
    vocab_size: int,
    *,
    d_model: int = 192,
    layers: int = 2,
    heads: int = 6,
    ffn_dim: int = 512,
    max_positions: int = 256,
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
        dropout=0.0,
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


def train(
    model: MBartForConditionalGeneration,
    examples: Iterator[Example],
    *,
    steps: int,
    max_tokens: int = 4096,
    learning_rate: float = 2e-3,
    warmup_steps: int = 200,
    pool_size: int = 4096,
    seed: int = 13,
    after_step: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train with AdamW, warm-up and linear decay to zero.

    Args:
        model: Trained in place.
        examples: Endless; read in pools of `pool_size`.
        steps: Optimizer steps, one batch each.
        max_tokens: Most padded tokens in a batch, both sides together.
        learning_rate: Peak learning rate.
        warmup_steps: Steps until the peak.
        pool_size: Examples sorted together.
        seed: Decides the order of the batches.
        after_step: Called with the number of steps done and the last loss.

    Returns:
        The mean loss a token, in nats, of each step.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warmup_steps, (steps - step) / max(1, steps - warmup_steps)),
    )
    device = model.device
    losses = []
    model.train()
    batches = make_batches(examples, max_tokens, pool_size, random.Random(seed))
    for step, batch in enumerate(itertools.islice(batches, steps), start=1):
        loss = _loss(model, Batch(*(tensor.to(device) for tensor in batch)))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if after_step is not None:
            after_step(step, losses[-1])
    model.eval()
    return losses


def make_batches(
    examples: Iterator[Example], max_tokens: int, pool_size: int, rng: random.Random
) -> Iterator[Batch]:
    """Cut a stream of examples into length-sorted batches, in random order within a pool.

    Raises:
        ValueError: An example alone is longer than `max_tokens`.
    """
    while pool := list(itertools.islice(examples, pool_size)):
        pool.sort(key=lambda example: (len(example.target), len(example.source)))
        groups: list[list[Example]] = [[]]
        width = height = 0
        for example in pool:
            if len(example.source) + len(example.target) > max_tokens:
                raise ValueError(
                    f"an example of {len(example.source)} + {len(example.target)} tokens does not "
                    f"fit a batch of {max_tokens}; raise max_tokens"
                )
            width = max(width, len(example.source))
            height = max(height, len(example.target))
            if (width + height) * (len(groups[-1]) + 1) > max_tokens:
                groups.append([])
                width, height = len(example.source), len(example.target)
            groups[-1].append(example)
        rng.shuffle(groups)
        yield from map(collate, groups)


def collate(examples: Sequence[Example]) -> Batch:
    """Pad examples; the decoder reads `[</s>, target_lang, ...]` and predicts the target."""
    source = _padded([example.source for example in examples], _PAD)
    labels = _padded([example.target for example in examples], _IGNORED)
    shifted = _padded([[_EOS, *example.target[:-1]] for example in examples], _PAD)
    return Batch(source, (source != _PAD).long(), shifted, labels)


def _loss(model: MBartForConditionalGeneration, batch: Batch) -> Tensor:
    logits = model(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        decoder_input_ids=batch.decoder_input_ids,
    ).logits
    return functional.cross_entropy(
        logits.flatten(0, 1), batch.labels.flatten(), ignore_index=_IGNORED
    )


def _padded(rows: Sequence[list[int]], value: int) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def _sinusoids(count: int, width: int) -> Tensor:
    """Return the position code of Vaswani et al. (2017), (count, width), at half amplitude."""
    position = torch.arange(count, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-9.21034 / width))
    return 0.5 * torch.cat([torch.sin(position * rate), torch.cos(position * rate)], dim=1)
