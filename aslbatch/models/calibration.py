"""How fast an engine is here and now: the best size of a batch, and what a token costs."""

import time
from dataclasses import dataclass

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, EngineOutOfMemoryError, Tokens
from aslbatch.models.tokenizer import Tokenizer

BUDGETS = (512, 768, 1_024)
"""Padded source tokens of a batch that are tried; twice as many gain 5 % and take 0.7 GB more."""

_SOURCE_TOKENS = 16
_SHORT, _LONG = 4, 12
_WORTH_IT = 1.03
_MOST_S = 20.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that an engine takes, as a linear function of tokens.

    Attributes:
        source_token_s: For each source token: the encoder.
        target_token_s: For each target token, all beams of it.
    """

    source_token_s: float
    target_token_s: float

    def seconds(self, source_tokens: float, target_tokens: float) -> float:
        """Return the time for so many tokens in batches of the size that was measured."""
        return self.source_token_s * source_tokens + self.target_token_s * target_tokens


class Calibration:
    """Times an engine on sentences of random tokens and of forced length."""

    def __init__(
        self,
        engine: Engine,
        tokenizer: Tokenizer,
        *,
        source_lang: str,
        target_lang: str,
        decoding: Decoding,
    ) -> None:
        """Prepare sentences.

        Args:
            engine: What is timed.
            tokenizer: Its tokenizer.
            source_lang: mBART-50 code.
            target_lang: mBART-50 code.
            decoding: How the job searches.
        """
        self._decoding = decoding
        self._engine = engine
        self._target_lang = target_lang
        words = [i for i in range(len(tokenizer)) if i not in tokenizer.special_ids]
        inner = [words[(7 * i) % len(words)] for i in range(_SOURCE_TOKENS - 2)]
        self._row: Tokens = [tokenizer.language_id(source_lang), *inner, tokenizer.eos_id]

    def best_budget(self) -> int:
        """Return the padded tokens a batch that gave most tokens a second.

        A larger batch must be worth it, since it takes more memory. Stops after 20 s, and where
        memory ends.
        """
        started = time.perf_counter()
        self._seconds(1, _SHORT)  # the first call allocates
        best, best_rate = BUDGETS[0], 0.0
        for budget in BUDGETS:
            try:
                rate = budget / self._seconds(self._sentences(budget), _SHORT)
            except EngineOutOfMemoryError:
                break
            if rate > best_rate * _WORTH_IT:
                best, best_rate = budget, rate
            if time.perf_counter() - started > _MOST_S:
                break
        return best

    def cost(self, max_tokens: int) -> Cost:
        """Return what tokens cost, from a short and a long decoding.

        Args:
            max_tokens: Padded tokens of a batch; halved where memory does not hold as many.

        Raises:
            EngineOutOfMemoryError: One sentence alone does not fit.
        """
        count = self._sentences(max_tokens)
        try:
            self._seconds(count, _LONG)
        except EngineOutOfMemoryError:
            if count == 1:
                raise
            return self.cost(max_tokens // 2)
        short, long = self._seconds(count, _SHORT), self._seconds(count, _LONG)
        target_token_s = max(long - short, 0.0) / (_LONG - _SHORT) / count
        encoder_s = max(short / count - _SHORT * target_token_s, 0.0)
        return Cost(encoder_s / _SOURCE_TOKENS, target_token_s)

    def _sentences(self, budget: int) -> int:
        return max(1, budget // _SOURCE_TOKENS)

    def _seconds(self, sentences: int, length: int) -> float:
        started = time.perf_counter()
        self._engine.force(
            [self._row] * sentences,
            target_lang=self._target_lang,
            decoding=self._decoding,
            length=length,
        )
        return time.perf_counter() - started
