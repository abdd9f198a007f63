"""Scores: known values, intervals that hold what they should, and classes of signs."""

import random
from functools import partial

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

from aslbatch.evaluation.bootstrap import interval, resampled_mean, resampled_ratio
from aslbatch.evaluation.class_recall import kept_signs
from aslbatch.evaluation.rouge import rouge_l
from aslbatch.evaluation.scores import corpus_scores, sacrebleu_metrics
from aslbatch.text.gloss import SignClass

REFERENCES = ["IX-1p WANT BOOK", "fs-JOHN GO STORE", "CL:5 WALK 8:46", "DOG RUN FAST++ NOW"]
HYPOTHESES = ["IX WANT BOOK", "#JOHN GO HOME", "WALK 8:46", "DOG RUN FAST NOW"]
gloss_scores = partial(corpus_scores, gloss=True, samples=200)


def test_chrf_and_bleu_are_those_of_sacrebleu_with_its_signatures():
    scores = gloss_scores(HYPOTHESES, REFERENCES)
    assert scores["chrF"].value == CHRF().corpus_score(HYPOTHESES, [REFERENCES]).score
    bleu = BLEU(tokenize="none").corpus_score(HYPOTHESES, [REFERENCES]).score
    assert scores["BLEU"].value == bleu
    assert "|tok:none|" in scores["BLEU"].signature
    assert "|nw:2|" in scores["chrF++"].signature
    english = corpus_scores(HYPOTHESES, REFERENCES, gloss=False, samples=50)
    assert "|tok:13a|" in english["BLEU"].signature


@pytest.mark.parametrize("gloss", [True, False])
def test_counts_of_rows_add_up_to_sacrebleus_own_score(gloss):
    """The intervals come from its counts, by methods that are not public."""
    for metric in sacrebleu_metrics(gloss=gloss).values():
        counts = np.array(metric._extract_corpus_statistics(HYPOTHESES, [REFERENCES]))
        again = metric._compute_score_from_stats(counts.sum(axis=0).tolist()).score
        assert again == metric.corpus_score(HYPOTHESES, [REFERENCES]).score


def test_the_interval_of_chrf_is_near_sacrebleus():
    generator = random.Random(4)
    words = [f"W{n}" for n in range(30)]
    references = [" ".join(generator.choices(words, k=8)) for _ in range(60)]
    hypotheses = [
        " ".join(w if generator.random() < 0.7 else "X" for w in r.split()) for r in references
    ]
    ours = gloss_scores(hypotheses, references, samples=1_000)["chrF"]
    theirs = CHRF().corpus_score(hypotheses, [references], n_bootstrap=1_000)
    assert (ours.high + ours.low) / 2 == pytest.approx(theirs._mean, abs=0.5)
    assert (ours.high - ours.low) / 2 == pytest.approx(theirs._ci, rel=0.15)


def test_a_perfect_translation_has_full_marks():
    scores = gloss_scores(REFERENCES * 5, REFERENCES * 5)
    assert {name: score.value for name, score in scores.items()} == pytest.approx(
        dict.fromkeys(scores, 100.0)
    )


def test_normalized_gloss_forgives_conventions_and_nothing_else():
    scores = gloss_scores(HYPOTHESES, REFERENCES)
    assert scores["token-F1"].value < scores["token-F1 normalized"].value < 100
    assert "norm:gloss-norm:1" in scores["token-F1 normalized"].signature


def test_the_recall_of_each_class_is_told_apart():
    scores = gloss_scores(HYPOTHESES, REFERENCES)
    recalls = {name: score.value for name, score in scores.items() if name.startswith("recall")}
    assert recalls == {"recall FS": 100, "recall IX": 100, "recall CL": 0, "recall NUM": 100}


def test_a_class_that_no_reference_has_is_left_out():
    assert "recall CL" not in gloss_scores(["A B"], ["A C"])
    assert "recall FS" not in corpus_scores(["a"], ["b"], gloss=False, samples=10)


def test_signs_are_kept_as_often_as_they_stand_in_both():
    kept = kept_signs("IX IX #ANNA", "IX IX-1p IX fs-ANNA #BEN")
    assert kept[SignClass.POINTING] == (2, 3)
    assert kept[SignClass.FINGERSPELLED] == (1, 2)
    assert kept[SignClass.NUMBER] == (0, 0)


@pytest.mark.parametrize(
    ("hypothesis", "reference", "expected"),
    [
        ("a b c", "a b c", 1.0),
        ("A b", "a B", 1.0),
        ("c b a", "a b c", 1 / 3),
        ("a x b y", "a b", 2 / 3),
        ("", "a", 0.0),
        ("", "", 1.0),
    ],
)
def test_rouge_l_is_the_longest_common_subsequence(hypothesis, reference, expected):
    assert rouge_l(hypothesis, reference) == pytest.approx(expected)


def test_intervals_hold_the_true_mean_as_often_as_they_say():
    generator = random.Random(0)
    held, trials = 0, 1_500
    for _ in range(trials):
        rows = [float(generator.random() < 0.3) for _ in range(200)]
        low, high = interval(resampled_mean(rows, 200).samples)
        held += low <= 30 <= high
    assert 0.92 <= held / trials <= 0.965


def test_samples_are_the_same_each_time():
    rows = [random.Random(n).random() for n in range(50)]
    assert resampled_mean(rows).samples.tolist() == resampled_mean(rows).samples.tolist()


def test_a_ratio_weighs_rows_by_their_wholes():
    assert resampled_ratio([1, 0], [1, 3]).value == 25
    assert np.isnan(resampled_ratio([0, 0], [0, 0]).value)


def test_samples_with_nothing_to_score_are_left_out_of_an_interval():
    found = resampled_ratio([1, 0, 0], [1, 0, 0])
    assert np.isnan(found.samples).any()
    assert interval(found.samples) == (100, 100)


def test_rows_must_match():
    with pytest.raises(ValueError, match="got 1 and 2"):
        gloss_scores(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="got 0 and 0"):
        gloss_scores([], [])
