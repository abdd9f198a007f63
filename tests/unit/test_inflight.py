"""The parts of in-flight search: the best tokens, and tokens drawn at random."""

import pytest
import torch
from torch.nn import functional
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from aslbatch.models.inflight.output import Output, best_tokens
from aslbatch.models.inflight.sampling import Sampling, _gumbel_of, drawn_tokens
from tests.random_model import random_model

ALL = Sampling(temperature=1.0, top_k=0, top_p=1.0)


@pytest.mark.parametrize("tokens", [8, 63, 64, 65, 130, 1_000])
@pytest.mark.parametrize("count", [2, 8])
def test_the_best_tokens_are_those_of_a_full_sort(tokens, count):
    logits = torch.randn(20, tokens, generator=torch.Generator().manual_seed(tokens)) * 4
    padded = functional.pad(logits, (0, -tokens % 64), value=-torch.inf)
    log_probs, indices = best_tokens(padded, count)
    expected = logits.log_softmax(1).topk(count)
    assert torch.equal(indices, expected.indices)
    torch.testing.assert_close(log_probs, expected.values)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kept", [None, [0, 2, 3, 50, 51, 99]])
def test_a_shortlist_scores_its_tokens_as_the_model_does(kept, bias):
    model = random_model(100, seed=3)
    if not bias:
        model.final_logits_bias.zero_()
    output = Output(model, kept, eos_id=2)
    states = torch.randn(5, 16)
    logits = output.logits(states)
    expected = (model.lm_head(states) + model.final_logits_bias).detach()
    expected = expected if kept is None else expected[:, kept]
    torch.testing.assert_close(logits[:, : output.tokens], expected)
    assert logits.shape == (5, len(output.ids))
    assert len(output.ids) % 64 == 0
    assert logits[:, output.tokens :].isneginf().all()
    assert output.ids[output.eos] == 2


def test_noise_is_finite_for_every_hash():
    noise = _gumbel_of(torch.tensor([0, 1, 2**31, 2**32 - 2, 2**32 - 1]))
    assert noise[:3].isfinite().all()
    assert not noise.isnan().any()
    assert (noise < 100).all()


def test_tokens_are_drawn_as_often_as_they_are_probable():
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0, -torch.inf]])
    count = 40_000
    log_probs, drawn = draw(logits.expand(count, -1), ALL)
    shares = drawn[:, 0].bincount(minlength=5) / count
    torch.testing.assert_close(shares, logits[0].softmax(0), atol=0.01, rtol=0)
    torch.testing.assert_close(log_probs[:, 0], logits[0].log_softmax(0)[drawn[:, 0]])


def test_neighboring_draws_and_steps_have_nothing_in_common():
    logits = torch.zeros(1, 1_000)
    by_sentence = draw(logits.expand(500, -1), ALL)[1][:, 0]
    steps = torch.arange(500)
    by_step = drawn_tokens(logits.expand(500, -1), ALL, torch.zeros_like(steps), steps)[1][:, 0]
    for drawn in (by_sentence, by_step):
        assert len(set(drawn.tolist())) > 350
        assert abs(torch.corrcoef(torch.stack([drawn[:-1], drawn[1:]]).float())[0, 1]) < 0.15


def test_a_draw_depends_on_sentence_and_step_alone():
    logits = torch.randn(6, 50, generator=torch.Generator().manual_seed(0))
    together = draw(logits, ALL)[1][:, 0]
    order = torch.tensor([5, 3, 0, 1, 4, 2])
    shuffled = drawn_tokens(logits[order], ALL, order, torch.full((6,), 3))[1][:, 0]
    assert torch.equal(shuffled, together[order])


@pytest.mark.parametrize(
    ("sampling", "warpers"),
    [
        (Sampling(1.0, 5, 1.0), [TopKLogitsWarper(5)]),
        (Sampling(1.0, 0, 0.7), [TopPLogitsWarper(0.7)]),
        (
            Sampling(2.0, 12, 0.6),
            [TemperatureLogitsWarper(2.0), TopKLogitsWarper(12), TopPLogitsWarper(0.6)],
        ),
    ],
)
def test_what_may_be_drawn_is_what_transformers_leaves(sampling, warpers):
    logits = torch.randn(1, 30, generator=torch.Generator().manual_seed(1)) * 2
    warped = logits
    for warper in warpers:
        warped = warper(None, warped)
    drawn = draw(logits.expand(20_000, -1), sampling)[1][:, 0]
    shares = drawn.bincount(minlength=30) / len(drawn)
    assert set(drawn.tolist()) <= set(warped[0].isfinite().nonzero().flatten().tolist())
    torch.testing.assert_close(shares, warped[0].softmax(0), atol=0.015, rtol=0)


def draw(logits, sampling, step=3):
    return drawn_tokens(
        logits, sampling, torch.arange(len(logits)), torch.full((len(logits),), step)
    )
