"""The recipe of the demo model: vocabulary, model, training, checkpoint."""

import copy
import itertools
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from transformers import GenerationConfig, MBart50Tokenizer, MBartForConditionalGeneration

from aslbatch.models.tokenizer import Tokenizer
from aslbatch.text.languages import GLOSS_CODE
from aslbatch.training.demo.grammar import Pair
from aslbatch.training.demo.initialization import mirrored_embeddings
from aslbatch.training.demo.stream import PairStream
from aslbatch.training.demo.vocabulary import Piece, build_tokenizer, learn_pieces
from aslbatch.training.from_scratch import Example, new_model, train

ENGLISH_CODE = "en_XX"
_VOCABULARY_LINES = 15_000
_LOWER_PIECES = 850
_CHUNK = 2048
_MAX_LENGTH = 128
_FORWARD_SHARE = 0.6
_COMPOUND_SIGN = re.compile(r"(?<!\S)[A-Z]+(?:[-:][A-Z0-9]+)+(?!\S)")


def build(
    out: Path,
    *,
    seed: int,
    steps: int,
    d_model: int = 192,
    max_tokens: int = 2560,
    learning_rate: float = 2e-3,
    save_at: tuple[int, ...] = (),
    report: Callable[[str], None],
) -> float:
    """Train the demo model and save it.

    Args:
        out: The checkpoint's folder; files in it are replaced when all are ready.
        seed: Decides the vocabulary, the training lines, the weights and the order.
        steps: Optimizer steps.
        d_model: Width of the model.
        max_tokens: Padded tokens a batch.
        learning_rate: Peak learning rate.
        save_at: Steps at which an interim model is saved too.
        report: Receives a line every hundred steps.

    Returns:
        The mean loss of the last hundred steps, in nats a token.
    """
    pieces = vocabulary(seed)
    tokenizer = build_tokenizer(pieces)
    model = new_model(
        len(tokenizer),
        d_model=d_model,
        seed=seed,
        embeddings=mirrored_embeddings(tokenizer, pieces, d_model, seed),
    )
    count = sum(parameter.numel() for parameter in model.parameters())
    report(f"{len(tokenizer)} pieces, {count} parameters")
    start = time.monotonic()
    recent: list[float] = []

    def after_step(step: int, loss: float) -> None:
        recent.append(loss)
        if step % 100 == 0:
            mean = sum(recent[-100:]) / 100
            report(f"step {step}: loss {mean:.4f}, {time.monotonic() - start:.0f} s")
        if step in save_at:
            save(model, tokenizer, out)

    losses = train(
        model,
        examples(Tokenizer(tokenizer), seed),
        steps=steps,
        max_tokens=max_tokens,
        learning_rate=learning_rate,
        seed=seed,
        after_step=after_step,
    )
    save(model, tokenizer, out)
    last = losses[-100:]
    return sum(last) / len(last)


def vocabulary(seed: int) -> list[Piece]:
    """Learn the pieces from the training stream's own first lines."""
    texts = list(PairStream(seed).texts(_VOCABULARY_LINES))
    counts = Counter(sign for text in texts for sign in _COMPOUND_SIGN.findall(text))
    signs = [sign for sign, count in counts.items() if count >= 10]
    return learn_pieces(texts, signs, _LOWER_PIECES)


def examples(tokenizer: Tokenizer, seed: int) -> Iterator[Example]:
    """Yield examples of both directions at a fixed share, endlessly."""
    stream = PairStream(seed + 1)
    forward = round(_CHUNK * _FORWARD_SHARE)
    for _ in itertools.count():
        ahead = [stream.forward() for _ in range(forward)]
        back = [stream.backward() for _ in range(_CHUNK - forward)]
        yield from _encode(tokenizer, ahead, [Pair(b, a) for a, b in back])


def _encode(tokenizer: Tokenizer, ahead: list[Pair], back: list[Pair]) -> Iterator[Example]:
    for pairs, source, target in (
        (ahead, ENGLISH_CODE, GLOSS_CODE),
        (back, GLOSS_CODE, ENGLISH_CODE),
    ):
        sources = tokenizer.encode([pair[0] for pair in pairs], source, _MAX_LENGTH)
        targets = tokenizer.encode([pair[1] for pair in pairs], target, _MAX_LENGTH)
        for first, second in zip(sources, targets, strict=True):
            if not (first.truncated or second.truncated):
                yield Example(first.tokens, second.tokens)


def save(model: MBartForConditionalGeneration, tokenizer: MBart50Tokenizer, out: Path) -> None:
    """Write the checkpoint in float16; the model itself stays as it is.

    Files are written next to `out` and then moved, so that a reader never sees half a file.
    """
    staging = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    model.generation_config = GenerationConfig(
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
        forced_bos_token_id=tokenizer.convert_tokens_to_ids(GLOSS_CODE),
        max_length=_MAX_LENGTH,
        num_beams=4,
        early_stopping=True,
    )
    copy.deepcopy(model).half().save_pretrained(staging)
    tokenizer.save_pretrained(staging)
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(staging.iterdir()):
        path.chmod(0o644)
        path.replace(out / path.name)
    staging.rmdir()
