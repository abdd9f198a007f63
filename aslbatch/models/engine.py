"""What the translate stage needs of a translation engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aslbatch.models.decoding import Decoding

Tokens = list[int]


class EngineOutOfMemoryError(Exception):
    """A batch did not fit into memory; a smaller one may."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One translation of one sentence.

    Attributes:
        tokens: Token ids without special tokens.
        score: Length-normalized log-probability, as transformers' `sequences_scores`.
        complete: Whether the search ended the sentence itself, before `max_length` did.
    """

    tokens: Tokens
    score: float
    complete: bool


class Engine(Protocol):
    """A loaded model that translates batches of token ids.

    Attributes:
        name: What translates, for provenance, such as `transformers:5.23.0|float32|cpu`.
    """

    name: str

    def translate(
        self, batch: Sequence[Tokens], *, target_lang: str, decoding: Decoding
    ) -> list[list[Hypothesis]]:
        """Translate one batch.

        Args:
            batch: Token ids of each sentence, `[language, ..., </s>]`, unpadded.
            target_lang: mBART-50 code of the target language.
            decoding: How to search.

        Returns:
            For each sentence `decoding.num_return_sequences` hypotheses, best first.

        Raises:
            EngineOutOfMemoryError: The batch does not fit into memory.
        """
        ...
