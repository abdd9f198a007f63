"""The engine for CPUs: CTranslate2, with 8-bit weights and a vocabulary shortlist.

Two things make it more than a call of `translate_batch`; docs/engines.md has the measurements.

* With int8 a sentence's result is the same to the last bit in any batch of sentences of its own
  length; beside longer ones padding moves scores, and once in a while a choice. So it asks for
  batches of one length (`Batching.equal_lengths`).
* A sentence that loops would keep a whole batch decoding up to `max_length`. Each is first searched
  up to a bound that goes with its length; where any beam reached the bound, it is searched again up
  to `max_length`. The result is that of the longer search: where no beam came to the bound, both
  searches ended at the same step.
"""

import math
from collections.abc import Sequence

import ctranslate2

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Batching, EngineOutOfMemoryError, Hypothesis, Tokens
from aslbatch.models.shortlist import Shortlist
from aslbatch.models.tokenizer import Tokenizer

_UNCOUNTED = 2
"""Tokens that `max_length` counts and CTranslate2 does not: the start token and the end."""
_LOWEST_BOUND = 12
_MAX_TOKENS = {"cpu": 1_024, "cuda": 16_384}
_OUT_OF_MEMORY = ("bad_alloc", "out of memory", "bad allocation")


class CTranslate2Engine:
    """Translates with `ctranslate2.Translator`; see `aslbatch.models.engine.Engine`."""

    def __init__(
        self,
        translator: ctranslate2.Translator,
        tokenizer: Tokenizer,
        *,
        precision: str,
        target_ratio: float | None,
        shortlist: Shortlist | None = None,
    ) -> None:
        """Wrap a translator.

        Args:
            translator: A loaded model, with the shortlist as its vocabulary map.
            tokenizer: The tokenizer of its checkpoint.
            precision: The type of its weights.
            target_ratio: Target tokens for each source token up to which a search goes at first;
                None for `max_length` at once.
            shortlist: What may be generated; None for everything.
        """
        self._translator = translator
        self._tokenizer = tokenizer
        self._ids = tokenizer.ids
        self._target_ratio = target_ratio
        self._restricted = shortlist is not None
        device = translator.device
        name = f"ctranslate2:{ctranslate2.__version__}|{precision}|{device}"
        self.name = name if shortlist is None else f"{name}|{shortlist.signature}"
        self.batching = Batching(
            _MAX_TOKENS[device], equal_lengths=precision == "int8" and device == "cpu"
        )
        self.full: CTranslate2Engine | None = None
        if shortlist is not None:
            self.full = CTranslate2Engine(
                translator, tokenizer, precision=precision, target_ratio=target_ratio
            )

    def translate(
        self, batch: Sequence[Tokens], *, target_lang: str, decoding: Decoding
    ) -> list[list[Hypothesis]]:
        """Translate one batch; see `aslbatch.models.engine.Engine`."""
        limit = decoding.max_length - _UNCOUNTED
        bound = self._bound(batch, limit)
        results = self._search(batch, target_lang, decoding, longest=bound)
        if bound < limit:
            again = [row for row, found in enumerate(results) if _reached(found, bound)]
            if again:
                longer = [batch[row] for row in again]
                searched = self._search(longer, target_lang, decoding, longest=limit)
                for row, found in zip(again, searched, strict=True):
                    results[row] = found
        return [self._hypotheses(found, decoding, limit) for found in results]

    def force(
        self, batch: Sequence[Tokens], *, target_lang: str, decoding: Decoding, length: int
    ) -> None:
        """Decode tokens to take the time; see `aslbatch.models.engine.Engine`."""
        self._search(batch, target_lang, decoding, longest=length, shortest=length)

    def _bound(self, batch: Sequence[Tokens], limit: int) -> int:
        if self._target_ratio is None:
            return limit
        longest = max(map(len, batch))
        return min(limit, max(_LOWEST_BOUND, math.ceil(self._target_ratio * longest)))

    def _search(
        self,
        batch: Sequence[Tokens],
        target_lang: str,
        decoding: Decoding,
        *,
        longest: int,
        shortest: int = 1,
    ) -> list["ctranslate2.TranslationResult"]:
        """Return all beams of each sentence; lengths count the language token."""
        pieces = self._tokenizer.pieces
        try:
            results: list[ctranslate2.TranslationResult] = self._translator.translate_batch(
                [[pieces[token] for token in row] for row in batch],
                target_prefix=[[target_lang]] * len(batch),
                beam_size=decoding.num_beams,
                num_hypotheses=decoding.num_beams,
                length_penalty=decoding.length_penalty,
                max_input_length=0,
                min_decoding_length=shortest,
                max_decoding_length=longest,
                return_scores=True,
                use_vmap=self._restricted,
            )
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) or any(s in str(error) for s in _OUT_OF_MEMORY):
                raise EngineOutOfMemoryError(str(error)) from error
            raise
        return results

    def _hypotheses(
        self, found: "ctranslate2.TranslationResult", decoding: Decoding, limit: int
    ) -> list[Hypothesis]:
        # Where `max_length` ends a sentence, transformers appends an end token of probability 1,
        # which makes the hypothesis longer by one; CTranslate2 appends none.
        longer = (limit / (limit + 1)) ** decoding.length_penalty
        hypotheses = [
            Hypothesis(
                tokens=self._tokenizer.without_special([self._ids[piece] for piece in pieces]),
                score=score if len(pieces) < limit else score * longer,
                complete=len(pieces) < limit,
            )
            for pieces, score in zip(found.hypotheses, found.scores, strict=True)
        ]
        hypotheses.sort(key=lambda hypothesis: -hypothesis.score)
        return hypotheses[: decoding.num_return_sequences]


def _reached(found: "ctranslate2.TranslationResult", bound: int) -> bool:
    return any(len(pieces) >= bound for pieces in found.hypotheses)
