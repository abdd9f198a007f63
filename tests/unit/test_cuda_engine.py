"""The engine for accelerators, on a CPU: against the reference, and what it does beside that."""

from dataclasses import replace

import pytest
import torch

from aslbatch.errors import ModelError
from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import EngineOutOfMemoryError
from aslbatch.models.engines import load_engine
from aslbatch.models.inflight import flight
from aslbatch.models.inflight.slots import Slots
from aslbatch.models.shortlist import make_shortlist
from aslbatch.models.tokenizer import Tokenizer

LANGUAGES = ("en_XX", "asl_GL")
ENGLISH = [
    "The boy bought a red car yesterday.",
    "Where do you live?",
    "I don't like coffee, but my sister does.",
    "Anna is tired because she worked.",
    "Zorblax will visit the museum tomorrow.",
    "No!",
    "My father and my mother want to buy a big house near the school next year.",
    "She reads.",
    "We saw three dogs in the park.",
    "Will you help me?",
]
GLOSS = ["YESTERDAY BOY BUY CAR RED", "IX-2 LIVE WHERE", "COFFEE IX-1 LIKE NOT"]
SAMPLING = Decoding(num_beams=1, do_sample=True, num_return_sequences=3, temperature=1.5, seed=7)


def load(engine, **options):
    return load_engine(
        DEMO_FOLDER,
        languages=LANGUAGES,
        engine=engine,
        precision="float32",
        device="cpu",
        **options,
    )


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(DEMO_FOLDER)


@pytest.fixture(scope="module")
def reference():
    return load("transformers")[0]


@pytest.fixture
def engine():
    return load("cuda")[0]


def rows_of(tokenizer, texts=ENGLISH, lang="en_XX"):
    return [text.tokens for text in tokenizer.encode(texts, lang, 128)]


def translate(engine, rows, lang="asl_GL", decoding=None, **settings):
    return engine.translate(rows, target_lang=lang, decoding=decoding or Decoding(**settings))


def assert_same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        assert [one.tokens for one in ours] == [one.tokens for one in theirs]
        assert [one.complete for one in ours] == [one.complete for one in theirs]
        scores = [one.score for one in theirs]
        assert [one.score for one in ours] == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_beams": 1},
        {"num_return_sequences": 4},
        {"num_beams": 5, "length_penalty": 2.0},
        {"length_penalty": 0.0},
        {"max_length": 6},
        {"max_length": 6, "num_beams": 1},
    ],
    ids=str,
)
def test_it_finds_what_the_reference_finds(engine, reference, tokenizer, settings):
    rows = rows_of(tokenizer)
    one_by_one = [translate(reference, [row], **settings)[0] for row in rows]
    assert_same(translate(engine, rows, **settings), one_by_one)


def test_it_translates_in_the_other_direction(engine, reference, tokenizer):
    rows = rows_of(tokenizer, GLOSS, "asl_GL")
    assert_same(translate(engine, rows, "en_XX"), translate(reference, rows, "en_XX"))


def test_calls_do_not_disturb_each_other(engine, tokenizer):
    rows = rows_of(tokenizer)
    first = translate(engine, rows)
    translate(engine, rows_of(tokenizer, GLOSS, "asl_GL"), "en_XX", num_beams=2)
    translate(engine, rows[3:5])
    assert_same(translate(engine, rows[::-1]), first[::-1])


def test_a_shortlist_leaves_out_tokens_and_its_full_engine_does_not(tokenizer):
    shortlist = make_shortlist("ascii", tokenizer, "asl_GL")
    engine, _ = load("cuda", shortlist=shortlist)
    rows = rows_of(tokenizer)
    assert engine.name.endswith(f"|float32|cpu|{shortlist.signature}")
    kept = set(shortlist.ids)
    assert all(set(one.tokens) <= kept for (one,) in translate(engine, rows))
    assert_same(translate(engine.full, rows), translate(load("cuda")[0], rows))
    assert engine.full.name == engine.name.removesuffix(f"|{shortlist.signature}")


def test_samples_depend_on_the_sentence_and_the_seed_alone(engine, tokenizer):
    rows = rows_of(tokenizer)
    found = translate(engine, rows, decoding=SAMPLING)
    assert all(len(hypotheses) == 3 for hypotheses in found)
    assert any(one.tokens != other.tokens for one, other, _ in found)
    assert_same(translate(engine, rows[::-1], decoding=SAMPLING)[::-1], found)
    assert_same(translate(engine, rows[2:3], decoding=SAMPLING), found[2:3])


def test_a_sample_that_can_only_be_the_best_token_is_the_greedy_search(engine, tokenizer):
    rows = rows_of(tokenizer)
    only_best = Decoding(num_beams=1, do_sample=True, top_k=1)
    assert_same(translate(engine, rows, decoding=only_best), translate(engine, rows, num_beams=1))


def test_forced_decodings_have_their_length(engine, tokenizer, monkeypatch):
    steps = []
    step = Slots.step
    monkeypatch.setattr(Slots, "step", lambda *args: steps.append(args) or step(*args))
    rows = rows_of(tokenizer)
    engine.force(rows, target_lang="asl_GL", decoding=Decoding(), length=9)
    # The language is there already, and the first token after it comes from the encoder's batch.
    assert len(steps) == 9 - 2
    assert engine.usage.occupancy == len(rows) / 16


def limit_memory(monkeypatch, *, holds, after=0):
    """Have a step fail with more slots than the device holds, once it has done some; log them."""
    step, counts = Slots.step, []

    def limited(slots, *shape):
        counts.append(slots.count)
        if slots.count > holds and len(counts) > after:
            raise torch.OutOfMemoryError("CUDA out of memory")
        step(slots, *shape)

    monkeypatch.setattr(Slots, "step", limited)
    return counts


def test_where_memory_ends_it_goes_on_with_fewer_slots(engine, tokenizer, monkeypatch):
    rows = rows_of(tokenizer) * 3
    expected = translate(engine, rows)
    small, _ = load("cuda")
    small.pace = replace(small.pace, beams=8 * 4)
    counts = limit_memory(monkeypatch, holds=2, after=12)
    assert_same(translate(small, rows), expected)
    assert list(dict.fromkeys(counts)) == [8, 4, 2]
    assert_same(translate(small, rows), expected)
    assert counts[-1] == 2


def test_where_one_slot_does_not_fit_that_is_told(engine, tokenizer, monkeypatch):
    limit_memory(monkeypatch, holds=0)
    with pytest.raises(EngineOutOfMemoryError, match="out of memory"):
        translate(engine, rows_of(tokenizer))


def test_sentences_that_run_on_are_put_off_and_come_out_the_same(engine, tokenizer, monkeypatch):
    monkeypatch.setattr(flight, "_LOWEST_BOUND", 5)
    rows = rows_of(tokenizer) * 3
    expected = translate(engine, rows)
    hasty, _ = load("cuda", target_ratio=0.5)
    widths = []
    step = Slots.step
    monkeypatch.setattr(Slots, "step", lambda *args: widths.append(args[2]) or step(*args))
    assert_same(translate(hasty, rows), expected)
    assert widths != sorted(widths)


def test_more_beams_than_a_byte_can_tell_apart_are_refused(engine, tokenizer):
    with pytest.raises(ModelError, match=r"decoding\.num_beams is 200; expected at most 127"):
        translate(engine, rows_of(tokenizer), num_beams=200)


def test_slots_stay_full_while_sentences_wait(engine, tokenizer):
    rows = rows_of(tokenizer) * 40
    translate(engine, rows)
    assert engine.usage.occupancy > 0.85
