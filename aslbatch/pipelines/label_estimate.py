"""What a labeling would cost, before anything is sent: `--dry-run`, and the check of the budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.errors import ConfigError
from aslbatch.labeling.cost import Budget, Prices, estimated_input, estimated_output
from aslbatch.labeling.protocol import Teacher, Usage
from aslbatch.pipelines.label_texts import UNKNOWN_PRICES, Asking

_SAMPLE = 20

WINDOWS = {
    "gemini": "within 24 h, most often much sooner",
    "openai_batch": "within 24 h, after which what is left expires and is asked for again",
    "vllm": "as fast as this machine is",
}


@dataclass(frozen=True, slots=True)
class LabelEstimate:
    """What asking for some texts would come to.

    Attributes:
        rows: Rows of the sources.
        requests: Texts that are asked for, the gold set among them.
        input_tokens: Tokens of all requests.
        counted: Whether the service counted a sample of them; else they are estimated by bytes.
        output_tokens: Tokens of all answers, expected.
        most_output_tokens: The most that these may have.
        cost: What that comes to, None without prices.
        worst_cost: The most that it may come to, if each is asked for once.
        currency: Of the prices.
        window: How long it takes, in words.
    """

    rows: int
    requests: int
    input_tokens: int
    counted: bool
    output_tokens: int
    most_output_tokens: int
    cost: Decimal | None
    worst_cost: Decimal | None
    currency: str
    window: str


def budget_of(config: PseudoglossConfig) -> Budget:
    """Return what a job may cost, by estimates."""
    cost, prices = config.cost, UNKNOWN_PRICES
    if price := cost.prices.get(config.teacher.model):
        prices = Prices(price.input, price.output, cost.currency)
    return Budget(cost.max_cost, prices, config.teacher.max_output_tokens)


def count(asking: Asking, teacher: Teacher) -> None:
    """Scale estimates to what the service counts, where it counts."""
    sample = [asking.ask(name) for name in _sample(asking.todo())]
    tokens = teacher.count_tokens(sample) if sample else None
    if tokens is not None:
        asking.budget = asking.budget.counted(sample, tokens)


def estimate_asking(asking: Asking, config: PseudoglossConfig, *, rows: int = 0) -> LabelEstimate:
    """Return what it would come to to ask for every text that has no answer.

    Args:
        asking: What is asked for, its estimates scaled by `count` where that can be done.
        config: The job.
        rows: Rows of the sources.
    """
    budget, longest = asking.budget, config.teacher.max_output_tokens
    requests, expected, most = 0, Usage(), Usage()
    for ask in map(asking.ask, asking.todo()):  # one at a time: each has all of its examples
        requests += 1
        most += budget.most(ask)
        expected += Usage(estimated_input([ask]), min(estimated_output([ask]), longest))
    expected = replace(expected, input_tokens=round(expected.input_tokens * budget.ratio))
    is_priced = budget.prices != UNKNOWN_PRICES
    return LabelEstimate(
        rows=rows,
        requests=requests,
        input_tokens=expected.input_tokens,
        counted=budget.ratio != 1.0,
        output_tokens=expected.output_tokens,
        most_output_tokens=most.output_tokens,
        cost=budget.prices.cost(expected) if is_priced else None,
        worst_cost=budget.prices.cost(most) if is_priced else None,
        currency=budget.prices.currency,
        window=WINDOWS.get(config.teacher.kind) or _chat_window(requests, config),
    )


def check_budget(asking: Asking, config: PseudoglossConfig) -> None:
    """Check that the budget is likely to do, before anything is sent.

    Raises:
        ConfigError: It is not.
    """
    most = asking.budget.max_cost
    if most is None:
        return
    expected = estimate_asking(asking, config)
    total = asking.spent + asking.uncounted + (expected.cost or 0)
    if total > Decimal(str(most)):
        raise ConfigError(
            f"cost.max_cost is {most:g} {expected.currency}, but {expected.requests:,} requests "
            f"are expected to bring the cost to {total:.4g}; nothing new was sent: raise it, or "
            f"ask for less (--limit, prompt.count)"
        )


def _sample(names: Sequence[str]) -> list[str]:
    """Return a few texts, spread over all."""
    count = min(_SAMPLE, len(names))
    return [names[index * len(names) // count] for index in range(count)]


def _chat_window(requests: int, config: PseudoglossConfig) -> str:
    rate = config.run.requests_per_minute
    if rate is None:
        return f"{requests:,} answers, {config.run.concurrency} at a time"
    return f"{requests / rate:,.1f} min at {rate:g} requests a minute"
