"""Batches: every example as often as asked, within the budget, a function of seed and step."""

import random

import numpy as np
import pytest

from aslbatch.training.batches import Batches, Portion, cut, pieces


def some_lengths(count, seed=3):
    rng = random.Random(seed)
    return np.array([(rng.randint(3, 40), rng.randint(3, 40)) for _ in range(count)])


def test_an_epoch_holds_every_example_as_often_as_asked():
    lengths = some_lengths(9_000)
    batches = Batches(
        lengths,
        [Portion(0, 5_000, 1.0), Portion(5_000, 3_000, 2.0), Portion(8_000, 1_000, 0.5)],
        max_tokens=2_000,
        max_examples=32,
        seed=7,
    )
    for epoch in range(2):
        steps = range(batches.steps_until(epoch), batches.steps_until(epoch + 1))
        seen = np.bincount(np.concatenate([batches.at(step) for step in steps]), minlength=9_000)
        assert (seen[:5_000] == 1).all()
        assert (seen[5_000:8_000] == 2).all()
        assert seen[8_000:].sum() == 500
        assert seen[8_000:].max() == 1


def test_batches_keep_to_tokens_and_examples_and_have_little_padding():
    lengths = some_lengths(8_000)
    batches = Batches(lengths, [Portion(0, 8_000, 1.0)], max_tokens=1_500, max_examples=40)
    padded = 0
    for step in range(batches.steps_until(1)):
        batch = batches.at(step)
        size = len(batch) * int(lengths[batch].max(axis=0).sum())
        assert size <= 1_500
        assert len(batch) <= 40
        padded += size
    assert lengths.sum() / padded > 0.75


def test_a_step_is_the_same_wherever_one_starts_and_other_epochs_and_seeds_differ():
    lengths = some_lengths(500)

    def make(seed):
        return Batches(lengths, [Portion(0, 500, 1.0)], max_tokens=400, seed=seed)

    one, other = make(1), make(1)
    late = one.steps_until(2) + 3
    assert np.array_equal(other.at(late), one.at(late))
    assert np.array_equal(other.at(2), one.at(2))
    epochs = [one.at(step).tolist() for step in (0, one.steps_until(1))]
    assert epochs[0] != epochs[1]
    assert make(2).at(0).tolist() != one.at(0).tolist()


def test_pieces_hold_a_batch_once_and_are_one_a_worker_at_least():
    lengths = some_lengths(100)
    batch = np.arange(10, 42)
    parts = pieces(batch, lengths, max_tokens=300, at_least=4)
    assert sorted(np.concatenate(parts).tolist()) == batch.tolist()
    assert len(parts) >= 4
    assert all(len(p) * lengths[p].max(axis=0).sum() <= 300 for p in parts)
    assert len(pieces(batch[:2], lengths, max_tokens=300, at_least=4)) == 2
    assert len(pieces(batch, lengths, max_tokens=100_000)) == 1


def test_nothing_is_cut_into_nothing():
    assert cut(np.arange(0), some_lengths(1), max_tokens=10) == []


def test_too_long_examples_and_none_at_all_are_told():
    with pytest.raises(ValueError, match="an example of 80 tokens does not fit a batch of 64"):
        Batches(np.array([(40, 40)]), [Portion(0, 1, 1.0)], max_tokens=64)
    with pytest.raises(ValueError, match="no examples"):
        Batches(np.empty((0, 2), np.int64), [Portion(0, 0, 1.0)], max_tokens=64)
