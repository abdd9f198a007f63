"""Whatever the lengths and the budget: each sentence once, and the budget held."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from aslbatch.stages.batching import make_batches

lengths = st.lists(st.integers(min_value=1, max_value=200), max_size=300)
budgets = st.integers(min_value=1, max_value=2_000)


@given(lengths=lengths, max_tokens=budgets)
def test_each_sentence_is_in_exactly_one_batch(lengths, max_tokens):
    batches = make_batches(lengths, max_tokens)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))


@given(lengths=lengths, max_tokens=budgets)
def test_a_batch_keeps_to_the_budget_unless_it_is_one_sentence(lengths, max_tokens):
    for batch in make_batches(lengths, max_tokens):
        padded = len(batch) * max(lengths[index] for index in batch)
        assert padded <= max_tokens or len(batch) == 1


@given(lengths=lengths, max_tokens=budgets)
def test_longer_sentences_come_first(lengths, max_tokens):
    flat = [lengths[index] for batch in make_batches(lengths, max_tokens) for index in batch]
    assert flat == sorted(lengths, reverse=True)


@given(lengths=lengths, max_tokens=budgets)
def test_no_batch_could_take_the_first_of_the_next(lengths, max_tokens):
    batches = make_batches(lengths, max_tokens)
    for batch, _ in itertools.pairwise(batches):
        assert (len(batch) + 1) * lengths[batch[0]] > max_tokens


@given(lengths=lengths, max_tokens=budgets)
def test_equal_lengths_are_batches_without_padding(lengths, max_tokens):
    batches = make_batches(lengths, max_tokens, equal_lengths=True)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch, following in itertools.pairwise(batches):
        length = lengths[batch[0]]
        assert {lengths[index] for index in batch} == {length}
        assert lengths[following[0]] < length or (len(batch) + 1) * length > max_tokens
