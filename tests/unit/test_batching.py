"""Batches of similar length within a budget."""

from aslbatch.stages.batching import make_batches


def test_no_sentence_makes_no_batch():
    assert make_batches([], 100) == []


def test_sentences_of_similar_length_share_a_batch():
    assert make_batches([3, 30, 4, 29], 60) == [[1, 3], [2, 0]]


def test_a_sentence_over_the_budget_goes_alone():
    assert make_batches([5, 500, 5], 100) == [[1], [0, 2]]


def test_equal_lengths_keep_their_order():
    assert make_batches([7, 7, 7, 7], 14) == [[0, 1], [2, 3]]
