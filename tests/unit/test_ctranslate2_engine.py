"""CTranslate2 against the reference engine, and against itself in other company."""

import json
import random
from pathlib import Path

import pytest

from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import EngineOutOfMemoryError
from aslbatch.models.engines import load_engine
from aslbatch.models.shortlist import make_shortlist
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.stages.batching import make_batches

LANGUAGES = ("en_XX", "asl_GL")
SENTENCES = 120


def load(engine, precision, **options):
    return load_engine(
        DEMO_FOLDER,
        languages=LANGUAGES,
        engine=engine,
        precision=precision,
        device="cpu",
        **({"threads": 1} | options),
    )[0]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(DEMO_FOLDER)


@pytest.fixture(scope="module")
def reference():
    return load("transformers", "float32")


@pytest.fixture(scope="module")
def exact():
    return load("ctranslate2", "float32")


@pytest.fixture(scope="module")
def fast(tokenizer):
    return load("ctranslate2", "int8", shortlist=make_shortlist("ascii", tokenizer, "asl_GL"))


@pytest.fixture(scope="module")
def rows(tokenizer):
    lines = Path("configs/sample/captions.jsonl").read_text(encoding="utf-8").splitlines()
    texts = dict.fromkeys(json.loads(line)["text"] for line in lines)
    encoded = tokenizer.encode(list(texts), "en_XX", 64)
    return [text.tokens for text in encoded if len(text.tokens) > 2][:SENTENCES]


def translate(engine, rows, **decoding):
    return engine.translate(rows, target_lang="asl_GL", decoding=Decoding(**decoding))


@pytest.mark.parametrize(
    "decoding",
    [
        {},
        {"num_beams": 1},
        {"num_beams": 3, "num_return_sequences": 3},
        {"length_penalty": 0.3},
        {"length_penalty": 2.0},
    ],
)
def test_float32_gives_what_the_reference_gives(exact, reference, rows, decoding):
    ours, theirs = translate(exact, rows, **decoding), translate(reference, rows, **decoding)
    for found, expected in zip(ours, theirs, strict=True):
        assert [h.tokens for h in found] == [h.tokens for h in expected]
        assert [h.complete for h in found] == [h.complete for h in expected]
        for hypothesis, other in zip(found, expected, strict=True):
            assert hypothesis.score == pytest.approx(other.score, abs=1e-4)


def test_a_target_that_reaches_the_limit_is_marked_and_scored_as_in_the_reference(
    exact, reference, rows
):
    found = translate(exact, rows[:20], max_length=8, length_penalty=1.5)
    expected = translate(reference, rows[:20], max_length=8, length_penalty=1.5)
    assert [h.complete for (h,) in found] == [h.complete for (h,) in expected]
    assert not all(h.complete for (h,) in found)
    for (hypothesis,), (other,) in zip(found, expected, strict=True):
        assert hypothesis.tokens == other.tokens
        assert hypothesis.score == pytest.approx(other.score, abs=1e-4)


@pytest.mark.parametrize("most", [1, 5, 64])
def test_int8_does_not_depend_on_company_of_the_same_length(fast, rows, most):
    """Bit for bit, scores of all hypotheses too: memo and calibration rest on it."""
    assert fast.batching.equal_lengths
    alone = [translate(fast, [row], num_return_sequences=4)[0] for row in rows]
    order = list(range(len(rows)))
    random.Random(most).shuffle(order)
    lengths = [len(rows[index]) for index in order]
    for batch in make_batches(lengths, most * 32, equal_lengths=True):
        chosen = [order[index] for index in batch]
        found = translate(fast, [rows[index] for index in chosen], num_return_sequences=4)
        assert found == [alone[index] for index in chosen]


def test_int8_does_not_depend_on_threads(fast, rows, tokenizer):
    shortlist = make_shortlist("ascii", tokenizer, "asl_GL")
    threaded = load("ctranslate2", "int8", shortlist=shortlist, threads=2)
    for batch in make_batches([len(row) for row in rows], 512, equal_lengths=True):
        chosen = [rows[index] for index in batch]
        assert translate(threaded, chosen) == translate(fast, chosen)


@pytest.mark.parametrize("ratio", [0.2, 0.7])
def test_bounding_a_search_changes_nothing(rows, ratio):
    free, bounded = (load("ctranslate2", "int8", target_ratio=r) for r in (None, ratio))
    for row in rows[:40]:
        assert translate(bounded, [row] * 2) == translate(free, [row] * 2)


def test_a_bound_ends_searches_early(rows, monkeypatch):
    engine = load("ctranslate2", "int8", target_ratio=1.0)
    longest = []
    search = engine._search

    def spy(batch, *arguments, **lengths):
        longest.append(lengths["longest"])
        return search(batch, *arguments, **lengths)

    monkeypatch.setattr(engine, "_search", spy)
    translate(engine, rows[:1])
    assert longest[0] == max(12, len(rows[0]))
    assert longest[0] < 126


def test_the_full_vocabulary_is_the_same_model_without_its_list(fast, rows, tokenizer):
    plain = load("ctranslate2", "int8")
    assert translate(fast.full, rows[:10]) == translate(plain, rows[:10])
    assert fast.full.full is None
    assert plain.full is None


def test_a_shortlist_restricts_what_comes_out(tokenizer, rows):
    shortlist = make_shortlist("ascii", tokenizer, "asl_GL")
    few = type(shortlist)("few", tuple(sorted(tokenizer.special_ids | {*range(4, 60)})))
    for (hypothesis,) in translate(load("ctranslate2", "int8", shortlist=few), rows[:10]):
        assert set(hypothesis.tokens) <= set(few.ids)


def test_the_name_tells_everything_that_decides_a_result(fast, exact):
    assert exact.name.startswith("ctranslate2:4.")
    assert exact.name.endswith("|float32|cpu")
    assert "|int8|cpu|ascii:" in fast.name
    assert fast.full.name.endswith("|int8|cpu")


@pytest.mark.parametrize("error", [RuntimeError("std::bad_alloc"), MemoryError()])
def test_running_out_of_memory_is_told_apart(exact, rows, monkeypatch, error):
    class Full:
        def translate_batch(self, *_, **__):
            raise error

    monkeypatch.setattr(exact, "_translator", Full())
    with pytest.raises(EngineOutOfMemoryError):
        translate(exact, rows[:1])


def test_other_errors_are_not_hidden(exact, rows, monkeypatch):
    class Broken:
        def translate_batch(self, *_, **__):
            raise RuntimeError("no such token")

    monkeypatch.setattr(exact, "_translator", Broken())
    with pytest.raises(RuntimeError, match="no such token"):
        translate(exact, rows[:1])


def test_forced_decoding_gives_as_many_tokens_as_asked(fast, rows, monkeypatch):
    lengths = set()
    search = fast._search

    def spy(*arguments, **keywords):
        results = search(*arguments, **keywords)
        lengths.update(len(h) for result in results for h in result.hypotheses)
        return results

    monkeypatch.setattr(fast, "_search", spy)
    fast.force(rows[:3], target_lang="asl_GL", decoding=Decoding(), length=9)
    assert lengths == {9}
