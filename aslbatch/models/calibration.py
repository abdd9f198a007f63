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
_FEW = 4
_WORTH_IT = 1.03
_MOST_S = 20.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that an engine takes, as a linear function of a batch's tokens.

    What a batch and a step cost however many sentences they serve is mostly the way of the weights
    from memory; it decides how fast small batches are.

    Attributes:
        batch_s: For each batch.
        source_token_s: For each source token: the encoder.
        step_s: For each target token of a batch, once.
        target_token_s: For each target token of a sentence, all beams of it.
    """

    batch_s: float
    source_token_s: float
    step_s: float
    target_token_s: float

    def seconds(self, sentences: int, source_tokens: float, target_tokens: float) -> float:
        """Return the time for a batch of sentences, each of so many tokens."""
        once = self.batch_s + self.step_s * target_tokens
        each = self.source_token_s * source_tokens + self.target_token_s * target_tokens
        return once + sentences * each


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
        """Return what tokens cost, from a short and a long decoding of a full and a small batch.

        Args:
            max_tokens: Padded tokens of a full batch; halved where memory does not hold as many.

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
        few = min(_FEW, max(count // 2, 1))
        encoder_s, decoder_s = self._parts(count)
        batch_s, sentence_s = encoder_s, 0.0
        step_s, target_token_s = decoder_s, 0.0
        if few < count:
            few_encoder_s, few_decoder_s = self._parts(few)
            batch_s, sentence_s = _line((few, few_encoder_s), (count, encoder_s))
            step_s, target_token_s = _line((few, few_decoder_s), (count, decoder_s))
        return Cost(batch_s, sentence_s / _SOURCE_TOKENS, step_s, target_token_s)

    def _parts(self, sentences: int) -> tuple[float, float]:
        """Return the seconds of a batch: once, and for each step."""
        short, long = self._seconds(sentences, _SHORT), self._seconds(sentences, _LONG)
        step_s = max(long - short, 0.0) / (_LONG - _SHORT)
        return max(short - _SHORT * step_s, 0.0), step_s

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


def _line(first: tuple[int, float], second: tuple[int, float]) -> tuple[float, float]:
    """Return start and slope of the line through two points, neither of them below 0."""
    (x, y), (further_x, further_y) = first, second
    slope = max(further_y - y, 0.0) / (further_x - x)
    return max(y - slope * x, 0.0), slope
