"""What asking costs: counted where the service counts, estimated high where it does not."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from math import ceil

from aslbatch.labeling.protocol import Ask, Usage

_ENVELOPE_TOKENS = 16
"""What a service adds to each request: roles, and where messages begin and end."""
_MILLION = 1_000_000
_UNSEEN = 1.05
_MIXED = re.compile(rb"[A-Za-z]*[0-9][0-9A-Za-z]*")
_SMALL_AND_SPACE = b"abcdefghijklmnopqrstuvwxyz "
_NOT_ASCII = bytes(range(0x80, 0x100))


@dataclass(frozen=True, slots=True)
class Prices:
    """What a service asks for tokens.

    Attributes:
        input_per_million: Price of a million input tokens.
        output_per_million: Price of a million output tokens, those of thinking included.
        currency: Of both, such as USD.
    """

    input_per_million: float
    output_per_million: float
    currency: str

    def cost(self, usage: Usage) -> Decimal:
        """Return what tokens cost, exactly: sums of money are compared with a limit."""
        return (
            Decimal(str(self.input_per_million)) * usage.input_tokens
            + Decimal(str(self.output_per_million)) * usage.output_tokens
        ) / _MILLION


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few.

    Tokenizers of language models take 3.5 bytes of English for a token, or more, but fewer of what
    is rare in their training texts: 2 of capitals and punctuation, 1.5 of other scripts, and as few
    as 1 of hashes and other mixtures with digits. Four tokenizers (cl100k, o200k and those of
    DeepSeek and Claude 2) counted 0.7 to 0.9 tokens for each one estimated of prompts as they are
    made here.
    """
    data = text.encode("utf-8", "replace")
    unmixed = _MIXED.sub(b"", data)
    mixed = len(data) - len(unmixed)
    rest = unmixed.translate(None, _SMALL_AND_SPACE)
    small = len(unmixed) - len(rest)
    other = len(rest) - len(rest.translate(None, _NOT_ASCII))
    return ceil(mixed + small / 3.5 + other / 1.5 + (len(rest) - other) / 2)


@lru_cache(maxsize=256)
def _estimated_system(system: str) -> int:
    return estimated_tokens(system)


def estimated_input(asks: Iterable[Ask]) -> int:
    """Return about how many input tokens requests have, rather too many than too few."""
    return sum(
        _estimated_system(ask.system) + estimated_tokens(ask.user) + _ENVELOPE_TOKENS
        for ask in asks
    )


def estimated_output(asks: Iterable[Ask]) -> int:
    """Return about how many output tokens answers have, without thinking.

    An answer echoes all of its message but the text, and has the gloss in place of that.
    """
    return sum(estimated_tokens(ask.user) for ask in asks)


@dataclass(frozen=True, slots=True)
class Budget:
    """What may still be asked, so that a limit is never passed; without a limit, everything.

    What is running is reserved at the most that it can cost: its input, and the longest answer
    allowed to each request. When it has ended, what it did cost takes the place of that; of an
    answer that came without a count, it is the most.

    Attributes:
        max_cost: The limit, in the currency of the prices; None for none.
        prices: Of tokens.
        max_output_tokens: The longest answer that requests allow, thinking included.
        ratio: Tokens that the service counts for each one estimated, 1 where it counts none.
        most_ratio: The most of them that a request is reckoned to have.
        spent: Cost of what has ended, the most where that is not known.
        reserved: The most that what is running can cost.
    """

    max_cost: float | None
    prices: Prices
    max_output_tokens: int
    ratio: float = 1.0
    most_ratio: float = 1.0
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal | None:
        """What is neither spent nor reserved, None without a limit; below 0 if it was passed."""
        if self.max_cost is None:
            return None
        return Decimal(str(self.max_cost)) - self.spent - self.reserved

    def counted(self, asks: Sequence[Ask], tokens: Sequence[int]) -> "Budget":
        """Return the budget with estimates scaled to what the service counts.

        What is reserved goes by the request with the most tokens for its estimate, and 5 % more,
        since there may be others that have more than any of these.

        Args:
            asks: Some requests, at least one.
            tokens: How many input tokens the service counts in each.

        Raises:
            ValueError: Something is reserved, by the estimates so far.
        """
        if self.reserved:
            raise ValueError("estimates cannot change while requests are running")
        ratios = [count / estimated_input([ask]) for ask, count in zip(asks, tokens, strict=True)]
        return replace(
            self,
            ratio=sum(tokens) / estimated_input(asks),
            most_ratio=max(ratios) * _UNSEEN,
        )

    def at_least(self, most_ratio: float, max_output_tokens: int) -> "Budget":
        """Return the budget with what is reserved no lower than at an earlier time."""
        return replace(
            self,
            most_ratio=max(self.most_ratio, most_ratio),
            max_output_tokens=max(self.max_output_tokens, max_output_tokens),
        )

    def most(self, ask: Ask) -> Usage:
        """Return the most tokens that a request can have: its own, and the longest answer."""
        return Usage(ceil(estimated_input([ask]) * self.most_ratio), self.max_output_tokens)

    def fitting(self, asks: Iterable[Ask]) -> int:
        """Return how many requests, from the first on, are sure to stay within the limit."""
        left = self.left
        number = 0
        for number, ask in enumerate(asks, 1):
            if left is not None:
                left -= self.prices.cost(self.most(ask))
                if left < 0:
                    return number - 1
        return number

    def allows(self, usage: Usage) -> bool:
        """Return whether what has so many tokens, at most, is sure to stay within the limit."""
        return self.left is None or self.prices.cost(usage) <= self.left
