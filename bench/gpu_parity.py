"""How far the engine for accelerators agrees with transformers, on a model that is trained here.

Sentences of the demo grammar, held out of training, in both directions. The reference is
transformers in float32 on the CPU, in batches.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from statistics import fmean

import torch
from sacrebleu.metrics import CHRF
from short_training import train

from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.cuda_engine import CudaEngine
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, Hypothesis, Tokens
from aslbatch.models.loading import LoadedModel
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.models.transformers_engine import TransformersEngine
from aslbatch.stages.search import search
from aslbatch.training.demo.stream import PairStream
from aslbatch.training.examples import Example
from aslbatch.training.new_model import new_model

LANGUAGES = ("en_XX", "asl_GL")
_SHAPE = {"d_model": 512, "layers": 6, "heads": 8, "ffn_dim": 2_048}
_SMOKE_SHAPE = {"d_model": 32, "layers": 1, "heads": 2, "ffn_dim": 64}
_CHUNK = 512
_BEAMS = 128
_EXAMPLES = 3
_TRAINED_ON = 100_000


def parity(device: str, *, smoke: bool) -> list[dict[str, object]]:
    """Train a model, and compare engines and precisions with the reference."""
    tokenizer = Tokenizer.load(DEMO_FOLDER)
    started = time.monotonic()
    torch.set_float32_matmul_precision("high")
    model = new_model(len(tokenizer), **(_SMOKE_SHAPE if smoke else _SHAPE)).to(device)
    train(
        model,
        islice(_examples(tokenizer), 2_000 if smoke else _TRAINED_ON),
        steps=20 if smoke else 1_500,
        max_tokens=1_024 if smoke else 8_192,
        learning_rate=7e-4,
        warmup_steps=10 if smoke else 300,
    )
    torch.set_float32_matmul_precision("highest")
    print(f"trained in {time.monotonic() - started:.0f} s", flush=True)
    weights = {name: weight.cpu() for name, weight in model.state_dict().items()}

    def copy(dtype: torch.dtype, where: str) -> LoadedModel:
        other = new_model(len(tokenizer), **(_SMOKE_SHAPE if smoke else _SHAPE)).eval()
        other.load_state_dict(weights)
        return LoadedModel(other.to(device=where, dtype=dtype), tokenizer)

    reference = TransformersEngine(copy(torch.float32, "cpu"))
    systems = {
        "aslbatch float32": CudaEngine.load(copy(torch.float32, device)),
        "aslbatch bfloat16": CudaEngine.load(copy(torch.bfloat16, device)),
        "transformers bfloat16": TransformersEngine(copy(torch.bfloat16, device)),
    }
    for engine in systems.values():
        if isinstance(engine, CudaEngine):  # few slots, so that they are used again and again
            engine.pace = replace(engine.pace, beams=_BEAMS)
    pairs = PairStream(2**31 - 1).held_out(8 if smoke else 500)
    rows = []
    for source, target in (LANGUAGES, LANGUAGES[::-1]):
        texts = [pair.english if source == LANGUAGES[0] else pair.gloss for pair in pairs]
        sources = [text.tokens for text in tokenizer.encode(texts, source, 128)]
        for beams in (4, 1):
            expected = _translate(reference, sources, target, beams)
            for name, engine in systems.items():
                found = _translate(engine, sources, target, beams)
                rows.append(
                    {"system": name, "target": target, "beams": beams}
                    | _compared(tokenizer, found, expected)
                )
    return rows


def _translate(
    engine: Engine, rows: Sequence[Tokens], target: str, beams: int
) -> list[list[Hypothesis]]:
    decoding = Decoding(num_beams=beams)
    return search(engine, rows, target_lang=target, decoding=decoding, max_tokens=1 << 14)


def _compared(
    tokenizer: Tokenizer,
    found: Sequence[Sequence[Hypothesis]],
    expected: Sequence[Sequence[Hypothesis]],
) -> dict[str, object]:
    pairs = [(ours[0], theirs[0]) for ours, theirs in zip(found, expected, strict=True)]
    differing = [(ours, theirs) for ours, theirs in pairs if ours.tokens != theirs.tokens]
    texts = [tokenizer.decode([ours.tokens, theirs.tokens]) for ours, theirs in pairs]
    hypotheses, references = zip(*texts, strict=True)
    return {
        "sentences": len(pairs),
        "identical": 1 - len(differing) / len(pairs),
        "chrf": CHRF().corpus_score(hypotheses, [references]).score,
        "mean_score_difference": fmean(abs(a.score - b.score) for a, b in pairs),
        "mean_score_difference_of_identical": fmean(
            [abs(a.score - b.score) for a, b in pairs if a.tokens == b.tokens] or [0.0]
        ),
        "examples": [list(pair) for pair in texts if pair[0] != pair[1]][:_EXAMPLES],
    }


def _examples(tokenizer: Tokenizer) -> Iterator[Example]:
    """Yield both directions in equal parts, endlessly."""
    stream = PairStream(1)
    while True:
        pairs = [stream.backward() for _ in range(_CHUNK)]
        english = tokenizer.encode([pair.english for pair in pairs], LANGUAGES[0], 128)
        gloss = tokenizer.encode([pair.gloss for pair in pairs], LANGUAGES[1], 128)
        for one, other in zip(english, gloss, strict=True):
            yield Example(one.tokens, other.tokens)
            yield Example(other.tokens, one.tokens)
