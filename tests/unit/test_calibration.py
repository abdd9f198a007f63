"""Calibration, with an engine whose clock is set by rule."""

import pytest

from aslbatch.models import calibration
from aslbatch.models.calibration import Calibration, Cost
from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import EngineOutOfMemoryError
from aslbatch.models.tokenizer import Tokenizer

LANGUAGES = {"source_lang": "en_XX", "target_lang": "asl_GL"}


class Clockwork:
    """Takes 1 ms a source token and 10 ms a target token, thrice where `slow_at` sentences are met.

    On top are `overhead_s` for each batch and `step_s` for each of its steps.

    Forced lengths count the language token, as do its own.
    """

    def __init__(self, slow_at=1_000, full_at=1_000, overhead_s=0.0, step_s=0.0):
        self.now = 0.0
        self.slow_at = slow_at
        self.full_at = full_at
        self.overhead_s = overhead_s
        self.step_s = step_s
        self.calls = []

    def force(self, batch, *, target_lang, decoding, length):
        assert decoding.num_beams == 7
        if len(batch) >= self.full_at:
            raise EngineOutOfMemoryError("too much")
        self.calls.append(len(batch))
        tokens = sum(map(len, batch))
        slower = 3 if len(batch) >= self.slow_at else 1
        self.now += self.overhead_s + length * self.step_s
        self.now += slower * (0.001 * tokens + 0.010 * length * len(batch))


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(DEMO_FOLDER)


@pytest.fixture
def calibrate(tokenizer, monkeypatch):
    def calibrate(engine):
        monkeypatch.setattr(calibration.time, "perf_counter", lambda: engine.now)
        return Calibration(engine, tokenizer, **LANGUAGES, decoding=Decoding(num_beams=7))

    return calibrate


def test_the_cost_of_tokens_is_found(calibrate):
    cost = calibrate(Clockwork(overhead_s=0.5, step_s=0.1)).cost(512)
    assert cost.batch_s == pytest.approx(0.5)
    assert cost.source_token_s == pytest.approx(0.001)
    assert cost.step_s == pytest.approx(0.1)
    assert cost.target_token_s == pytest.approx(0.010)


def test_a_batch_of_one_sentence_tells_what_it_can(calibrate):
    cost = calibrate(Clockwork(overhead_s=0.5, step_s=0.1)).cost(16)
    assert cost.seconds(1, 16, 5) == pytest.approx(0.5 + 0.016 + 5 * 0.11)


def test_a_larger_batch_must_be_worth_it(calibrate):
    assert calibrate(Clockwork()).best_budget() == 512
    assert calibrate(Clockwork(overhead_s=3.0)).best_budget() == 1_024
    assert calibrate(Clockwork(overhead_s=3.0, slow_at=64)).best_budget() == 768


def test_memory_ends_the_search(calibrate):
    assert calibrate(Clockwork(overhead_s=3.0, full_at=64)).best_budget() == 768


def test_time_ends_the_search(calibrate):
    engine = Clockwork(overhead_s=30.0)
    assert calibrate(engine).best_budget() == 512
    assert engine.calls == [1, 32]


def test_the_cost_is_that_of_a_batch_that_fits(calibrate):
    engine = Clockwork(full_at=20)
    assert calibrate(engine).cost(512).target_token_s == pytest.approx(0.010)
    assert max(engine.calls) == 16


def test_a_single_sentence_that_does_not_fit_is_told(calibrate):
    with pytest.raises(EngineOutOfMemoryError):
        calibrate(Clockwork(full_at=1)).cost(512)


def test_cost_is_linear():
    cost = Cost(batch_s=1.0, source_token_s=0.5, step_s=0.25, target_token_s=2.0)
    assert cost.seconds(10, 4, 3) == 1.0 + 3 * 0.25 + 10 * (4 * 0.5 + 3 * 2.0)
