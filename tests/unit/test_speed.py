"""What a shard is thought to cost, from the batches it would be cut into."""

import pytest

from aslbatch.models.calibration import Cost
from aslbatch.pipelines.speed import shard_seconds

COST = Cost(batch_s=1.0, source_token_s=0.01, step_s=0.5, target_token_s=0.02)
ONE_BATCH = {"target_ratio": 0.5, "max_tokens": 1_000}


def test_sentences_of_one_length_are_one_batch():
    seconds = shard_seconds(COST, [10] * 20, equal_lengths=True, **ONE_BATCH)
    assert seconds * 20 == pytest.approx(COST.seconds(20, 10, 5))


def test_batches_of_few_sentences_cost_more():
    mixed = [10] * 10 + [8] * 10
    padded = shard_seconds(COST, mixed, equal_lengths=False, **ONE_BATCH)
    apart = shard_seconds(COST, mixed, equal_lengths=True, **ONE_BATCH)
    assert padded * 20 == pytest.approx(COST.seconds(20, 10, 5))
    assert apart * 20 == pytest.approx(COST.seconds(10, 10, 5) + COST.seconds(10, 8, 4))


def test_no_sentences_cost_nothing():
    assert shard_seconds(COST, [], equal_lengths=True, **ONE_BATCH) == 0.0
