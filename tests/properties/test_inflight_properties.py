"""In-flight beam search against transformers one by one: any model, lengths, slots and refill."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aslbatch.models.decoding import Decoding
from aslbatch.models.inflight.beams import Rules
from aslbatch.models.inflight.flight import Flight, Pace, Usage
from aslbatch.models.inflight.graphs import run_at_once
from aslbatch.models.inflight.layers import Layers
from aslbatch.models.inflight.output import Output
from aslbatch.models.inflight.slots import Sentence, Slots
from aslbatch.models.loading import LoadedModel
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.models.transformers_engine import TransformersEngine
from tests.random_model import random_model
from tests.tiny_checkpoint import tiny_checkpoint

LONGEST_SOURCE = 24


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return Tokenizer.load(tiny_checkpoint(tmp_path_factory.mktemp("tiny")))


@st.composite
def searches(draw):
    beams = draw(st.integers(1, 5))
    return Decoding(
        num_beams=beams,
        num_return_sequences=draw(st.integers(1, beams)),
        max_length=draw(st.integers(3, 40)),
        length_penalty=draw(st.sampled_from([0.0, 0.6, 1.0, 2.0])),
    )


@given(
    data=st.data(),
    seed=st.integers(0, 2**16),
    decoding=searches(),
    lengths=st.lists(st.integers(2, LONGEST_SOURCE), min_size=1, max_size=12),
    slots=st.sampled_from([1, 2, 4, 8]),
    lag=st.integers(0, 3),
    refill=st.floats(0.0, 1.0),
    target_ratio=st.sampled_from([None, 0.1, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_every_sentence_is_found_once_as_the_reference_finds_it(
    tokenizer, data, seed, decoding, lengths, slots, lag, refill, target_ratio
):
    model = random_model(len(tokenizer), seed)
    words = st.integers(4, len(tokenizer) - 60)
    first, last = tokenizer.language_id("en_XX"), tokenizer.eos_id
    rows = [
        [first, *data.draw(st.lists(words, min_size=n - 2, max_size=n - 2)), last] for n in lengths
    ]
    flight = Flight(
        free_slots(model, tokenizer, decoding, slots),
        [Sentence(row, decoding.max_length) for row in rows],
        [tokenizer.eos_id, tokenizer.language_id("asl_GL")],
        best=decoding.num_return_sequences,
        target_ratio=target_ratio,
        runner=run_at_once,
        pace=Pace(beams=slots * decoding.num_beams, lag=lag, refill=refill),
        usage=Usage(),
    )

    flight.run()

    assert sorted(flight.found) == list(range(len(rows)))
    reference = TransformersEngine(LoadedModel(model, tokenizer))
    differing = 0
    for index, row in enumerate(rows):
        (expected,) = reference.translate([row], target_lang="asl_GL", decoding=decoding)
        found = flight.found[index]
        assert found.scores == pytest.approx([one.score for one in expected], abs=1e-4)
        for tokens, one in zip(found.tokens, expected, strict=True):
            differing += tokenizer.without_special(tokens) != one.tokens
    # Two hypotheses of one sentence may tie up to the last digits, and change places.
    assert differing <= 2


def free_slots(model, tokenizer, decoding, count):
    return Slots(
        Layers.of(model),
        Output(model, None, tokenizer.eos_id),
        Rules(decoding.num_beams, decoding.max_length, decoding.length_penalty),
        count=count,
        longest_source=LONGEST_SOURCE,
        device=torch.device("cpu"),
    )
