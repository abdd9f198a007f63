"""Batches of a training: what cannot be is told with its key."""

import pytest
from training_examples import copies

from aslbatch.config.train import TrainingSection
from aslbatch.errors import ConfigError
from aslbatch.pipelines.train_data import batches_of
from aslbatch.training.batches import Portion


def test_a_batch_too_small_for_the_longest_pair_is_a_fault_of_its_key():
    examples = copies(100)
    longest = int(examples.lengths.sum(axis=1).max())
    assert longest > 8
    with pytest.raises(
        ConfigError, match=rf"training\.batch_tokens: is 8, .* {longest} tokens, .*; raise it"
    ):
        batches_of(TrainingSection(batch_tokens=8), examples, [Portion(0, 100, 1.0)])
    whole = TrainingSection(batch_tokens=longest)
    assert batches_of(whole, examples, [Portion(0, 100, 1.0)]).steps_until(1)


@pytest.mark.parametrize(("count", "times"), [(0, 1.0), (100, 0.001)])
def test_nothing_to_train_on_is_a_fault_of_the_data(count, times):
    with pytest.raises(
        ConfigError, match=rf"data: there are no examples .*: {count} examples have .*; raise"
    ):
        batches_of(TrainingSection(), copies(count), [Portion(0, count, times)])
