"""Paired bootstrap: right where the answer is known, and sacreBLEU's own where that is asked."""

import random
from functools import partial

import numpy as np
import pytest
from sacrebleu.significance import PairedTest

from aslbatch.evaluation.scores import Score, corpus_scores, sacrebleu_metrics
from aslbatch.evaluation.significance import compare

ROWS = 120
WORDS = [f"W{number}" for number in range(40)]
generator = random.Random(11)
REFERENCES = [" ".join(generator.choices(WORDS, k=9)) for _ in range(ROWS)]
gloss_scores = partial(corpus_scores, references=REFERENCES, gloss=True, samples=300)


def system(accuracy, seed):
    """Return translations with this share of the words right, the same words for one seed."""
    draw = random.Random(seed).random
    return [" ".join(w if draw() < accuracy else "X" for w in r.split()) for r in REFERENCES]


@pytest.fixture(scope="module")
def good():
    return gloss_scores(system(0.8, seed=1))


def differences(ours, theirs):
    return {name: compare(ours[name], theirs[name]) for name in ours}


def test_equal_systems_do_not_differ(good):
    for found in differences(good, good).values():
        assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_a_clearly_better_system_is_told(good):
    found = differences(good, gloss_scores(system(0.6, seed=2)))
    for name in ("chrF", "chrF++", "BLEU", "ROUGE-L", "token-F1", "token-F1 normalized"):
        assert found[name].value > 0
        assert found[name].low > 0
        assert found[name].p == 1 / 301  # no sample came near


def test_chance_is_not_taken_for_a_better_system(good):
    found = differences(good, gloss_scores(system(0.8, seed=3)))
    for name in ("chrF", "BLEU", "token-F1"):
        assert found[name].low < 0 < found[name].high
        assert found[name].p > 0.05


def test_the_order_of_systems_changes_the_sign_alone(good):
    other = gloss_scores(system(0.77, seed=4))
    for name, found in differences(good, other).items():
        back = compare(other[name], good[name])
        assert back.value == -found.value
        assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
        assert (back.p, back.p_sacrebleu) == (found.p, found.p_sacrebleu)


@pytest.mark.parametrize("accuracy", [0.75, 0.78, 0.8])
@pytest.mark.parametrize("gloss", [True, False])
def test_the_samples_are_those_of_sacrebleus_paired_test(accuracy, gloss, monkeypatch):
    """The same draws, the same scores and, by its formula, the same p value."""
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    texts = system(0.8, seed=1), system(accuracy, seed=5)
    ours, theirs = (corpus_scores(each, REFERENCES, gloss=gloss, samples=300) for each in texts)
    _, expected = PairedTest(
        [("theirs", texts[1]), ("ours", texts[0])],
        sacrebleu_metrics(gloss=gloss),
        [REFERENCES],
        test_type="bs",
        n_samples=300,
    )()
    for name, theirs_name in (("chrF", "chrF2"), ("chrF++", "chrF2++"), ("BLEU", "BLEU")):
        other, system_result = expected[theirs_name]
        found = compare(ours[name], theirs[name])
        assert found.p_sacrebleu == system_result.p_value
        assert found.value == pytest.approx(system_result.score - other.score, abs=1e-4)


def test_of_equal_systems_one_in_twenty_differs_by_chance():
    """By sacreBLEU's formula it is one in ten: why the p value that is shown has two tails."""
    generator = np.random.default_rng(8)
    trials, rows, samples = 1_000, 150, 300
    below, below_sacrebleu = 0, 0
    for _ in range(trials):
        draws = generator.integers(0, rows, (samples, rows))
        ours, theirs = (
            score_of(values.mean(), values[draws].mean(axis=1))
            for values in generator.normal(size=(2, rows))
        )
        found = compare(ours, theirs)
        below += found.p < 0.05
        below_sacrebleu += found.p_sacrebleu < 0.05
    assert 0.03 <= below / trials <= 0.07
    assert below_sacrebleu / trials > 0.08


def test_one_row_is_no_evidence():
    """That row is in no sample of three in eight, and twice or more in one of four."""
    better = list(REFERENCES)
    better[7] = "X"
    found = compare(gloss_scores(REFERENCES)["exact match"], gloss_scores(better)["exact match"])
    assert found.value == pytest.approx(100 / ROWS)
    assert found.p == pytest.approx(1 / np.e + 1 - 2 / np.e, abs=0.08)


def score_of(value, samples, signature="mean"):
    return Score(value, 0.0, 0.0, signature, None, samples)


def test_samples_with_nothing_to_score_are_left_out():
    ours = score_of(3.0, np.array([2.0, np.nan, 4.0]))
    theirs = score_of(2.0, np.array([1.0, np.nan, 3.0]))
    found = compare(ours, theirs)
    assert (found.value, found.low, found.high, found.p) == (1, 1, 1, 1 / 3)


def test_scores_of_different_measures_are_not_compared(good):
    with pytest.raises(ValueError, match="has no difference to"):
        compare(good["chrF"], good["BLEU"])
