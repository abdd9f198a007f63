"""Engines on an accelerator, against the reference on a CPU."""

import random
from dataclasses import replace

import pytest
import torch

from aslbatch.models import cuda_engine
from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.decoding import Decoding
from aslbatch.models.engines import load_engine
from aslbatch.training.demo.grammar import Grammar

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

SENTENCES = [
    "The boy bought a red car yesterday.",
    "Where do you live?",
    "I don't like coffee, but my sister does.",
]


def translate(device, precision, engine="auto", sentences=SENTENCES):
    engine, tokenizer = load_engine(
        DEMO_FOLDER,
        languages=("en_XX", "asl_GL"),
        engine=engine,
        precision=precision,
        device=device,
    )
    batch = [text.tokens for text in tokenizer.encode(sentences, "en_XX", 128)]
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


def with_few_slots(monkeypatch):
    """Have slots used again and again, which a device of this size would not need to."""
    monkeypatch.setitem(cuda_engine._PACE, "cuda", replace(cuda_engine._PACE["cuda"], beams=32 * 4))


def grammar_sentences(count):
    grammar = Grammar(random.Random(11))
    return [grammar.sentence().english for _ in range(count)]


def test_in_flight_search_with_graphs_translates_as_the_reference_does(monkeypatch):
    with_few_slots(monkeypatch)
    sentences = grammar_sentences(600)
    _, expected = translate("cpu", "float32", "transformers", sentences)
    name, found = translate("cuda", "float32", "cuda", sentences)
    assert name.endswith("|float32|cuda")
    pairs = [(ours, theirs) for (ours,), (theirs,) in zip(found, expected, strict=True)]
    assert sum(ours.tokens != theirs.tokens for ours, theirs in pairs) <= len(pairs) // 200
    assert all(
        ours.score == pytest.approx(theirs.score, abs=1e-3)
        for ours, theirs in pairs
        if ours.tokens == theirs.tokens
    )


def test_in_flight_search_in_bfloat16_stays_near_the_reference(monkeypatch):
    with_few_slots(monkeypatch)
    sentences = grammar_sentences(600)
    _, expected = translate("cpu", "float32", "transformers", sentences)
    _, found = translate("cuda", "bfloat16", "cuda", sentences)
    same = [
        ours.tokens == theirs.tokens for (ours,), (theirs,) in zip(found, expected, strict=True)
    ]
    assert sum(same) >= 0.97 * len(same)


def test_in_flight_search_takes_no_more_memory_with_time():
    sentences = grammar_sentences(300)
    engine, tokenizer = load_engine(
        DEMO_FOLDER, languages=("en_XX", "asl_GL"), engine="cuda", device="cuda"
    )
    batch = [text.tokens for text in tokenizer.encode(sentences, "en_XX", 128)]
    taken = []
    for _ in range(8):
        engine.translate(batch, target_lang="asl_GL", decoding=Decoding())
        taken.append(torch.cuda.memory_reserved())
    assert taken[-1] == taken[3]
