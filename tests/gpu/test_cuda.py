"""The reference engine on an accelerator, against itself on a CPU."""

import pytest
import torch

from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.decoding import Decoding
from aslbatch.models.engines import load_engine

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

SENTENCES = [
    "The boy bought a red car yesterday.",
    "Where do you live?",
    "I don't like coffee, but my sister does.",
]


def translate(device, precision):
    engine, tokenizer = load_engine(
        DEMO_FOLDER, languages=("en_XX", "asl_GL"), precision=precision, device=device
    )
    batch = [text.tokens for text in tokenizer.encode(SENTENCES, "en_XX", 128)]
    hypotheses = engine.translate(batch, target_lang="asl_GL", decoding=Decoding())
    return engine.name, hypotheses


def test_float32_translates_as_on_a_cpu():
    _, expected = translate("cpu", "float32")
    name, found = translate("cuda", "float32")
    assert name.endswith("|float32|cuda")
    for (ours,), (theirs,) in zip(found, expected, strict=True):
        assert ours.tokens == theirs.tokens
        assert ours.score == pytest.approx(theirs.score, abs=1e-3)


def test_auto_is_bfloat16_there():
    name, _ = translate("auto", "auto")
    assert name.endswith("|bfloat16|cuda")
