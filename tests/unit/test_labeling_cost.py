"""What asking costs, and that a limit is never passed."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslbatch.labeling.cost import (
    Budget,
    Prices,
    estimated_input,
    estimated_output,
    estimated_tokens,
)
from aslbatch.labeling.prompt import INSTRUCTIONS, Example, Prompt
from aslbatch.labeling.protocol import Ask, Usage
from aslbatch.provenance.hashing import source_hash

PRICES = Prices(0.1, 0.3, "USD")
TEXT = "And what I'm talking about is, no longer do you have any words to work with."
PROMPT = Prompt(INSTRUCTIONS, (Example("e1", TEXT, "TALK WORD NONE"),), "first", 1, 0)


def asks(count):
    texts = [f"{number} {TEXT * (number % 3)}" for number in range(count)]
    return [PROMPT.ask(f"r{n}", source_hash(text), text)[0] for n, text in enumerate(texts)]


def budget(max_cost=1.0, prices=PRICES, max_output_tokens=200, **rest):
    return Budget(max_cost, prices, max_output_tokens, **rest)


def test_tokens_are_priced_exactly():
    assert PRICES.cost(Usage(3, 7)) == Decimal("0.0000024")
    assert sum(PRICES.cost(Usage(1, 0)) for _ in range(10)) == PRICES.cost(Usage(10, 0))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # The most that any of four counts: cl100k_base, o200k_base, those of DeepSeek and Claude 2.
        (TEXT, 19),
        ("DRINK++ UNDERSTAND #NASA cl:car-go-uphill WALK++", 19),
        (source_hash("The dog runs."), 23),
        ("το επόμενο σημείο είναι οι ψηφοφορίες", 43),  # noqa: RUF001
        ("今天天气很好我们去公园", 13),
        (INSTRUCTIONS, 437),
    ],
)
def test_estimates_are_high_but_not_by_far(text, tokens):
    assert tokens <= estimated_tokens(text) <= 2 * tokens


def test_any_text_can_be_estimated():
    assert estimated_tokens("") == 0
    assert estimated_tokens("\ud800") > 0


def test_a_request_has_its_instructions_its_message_and_what_a_service_adds():
    ask = Ask("k", "h", "system text", "user text")
    tokens = estimated_tokens("system text") + estimated_tokens("user text")
    assert tokens < estimated_input([ask]) < tokens + 40
    assert estimated_input([ask, ask]) == 2 * estimated_input([ask])
    assert estimated_output([ask]) == estimated_tokens("user text")


def most(budget, some):
    """Return the most that requests can cost."""
    return sum((budget.prices.cost(budget.most(ask)) for ask in some), Decimal(0))


def test_as_many_fit_as_would_at_their_worst():
    some = asks(10)
    exact = float(most(budget(), some[:4]))
    assert budget(exact).fitting(some) == 4
    assert budget(exact - 1e-9).fitting(some) == 3
    assert budget(0.0).fitting(some) == 0
    assert budget(None).fitting(some) == 10
    assert budget().fitting([]) == 0


def test_what_runs_and_what_was_spent_take_room():
    some = asks(8)
    whole = budget(float(most(budget(), some[:4])))
    running = replace(whole, reserved=most(whole, some[:3]))
    assert running.fitting(some[3:]) == 1
    assert running.allows(running.most(some[3]))
    assert not running.allows(running.most(some[3]) * 2)
    ended = replace(whole, spent=PRICES.cost(Usage(100, 10)))
    assert ended.left == whole.left - PRICES.cost(Usage(100, 10))


def test_estimates_follow_what_the_service_counts():
    some = asks(5)
    tokens = [2 * estimated_input([ask]) for ask in some]
    counted = budget().counted(some, tokens)
    assert counted.ratio == 2
    assert counted.most_ratio == pytest.approx(2.1)
    with pytest.raises(ValueError, match="while requests are running"):
        replace(counted, reserved=Decimal(1)).counted(some, tokens)


def test_what_is_reserved_goes_by_the_request_with_most_tokens_for_its_estimate():
    some = asks(5)
    tokens = [estimated_input([ask]) for ask in some]
    counted = budget().counted(some, [*tokens[:4], 3 * tokens[4]])
    assert 1 < counted.ratio < 2
    assert all(counted.most(ask).input_tokens >= 3 * estimated_input([ask]) for ask in some)


@given(
    limit=st.floats(0, 0.01),
    prices=st.builds(Prices, st.floats(0, 5), st.floats(0, 20), st.just("USD")),
    ratio=st.floats(0.2, 3),
    shares=st.lists(st.floats(0, 1), max_size=10),
)
def test_spending_never_passes_the_limit(limit, prices, ratio, shares):
    """Jobs of what fits run one beside another, and each ends at some share of its worst case."""
    state, running, some = budget(limit, prices, most_ratio=ratio), [], asks(12)
    for share in shares:
        fitting = some[: state.fitting(some)]
        state = replace(state, reserved=state.reserved + most(state, fitting))
        running.append((fitting, share))
        assert state.left >= 0
        if len(running) > 1:
            ended, part = running.pop(0)
            tokens = estimated_input(ended) * ratio * part
            usage = Usage(int(tokens), int(len(ended) * state.max_output_tokens * part))
            reserved = state.reserved - most(state, ended)
            state = replace(state, reserved=reserved, spent=state.spent + prices.cost(usage))
            assert state.spent + state.reserved <= Decimal(str(limit))
