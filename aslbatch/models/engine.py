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


@dataclass(frozen=True, slots=True)
class Batching:
    """How an engine wants its sentences put together.

    Attributes:
        max_tokens: Most padded source tokens of a batch, unless the job says otherwise.
        equal_lengths: Whether a batch must hold sentences of one length only. The engine then
            promises that a sentence's result is the same, bit for bit, in whatever company; so
            results may be remembered and batches sized by measurement.
    """

    max_tokens: int
    equal_lengths: bool = False


class Engine(Protocol):
    """A loaded model that translates batches of token ids.

    Attributes:
        name: What translates, for provenance: everything but checkpoint and decoding that decides
            a result, such as `ctranslate2:4.8.5|int8|cpu|latin:3f2a91c0`.
        batching: How its batches should be made.
        full: The same model without its vocabulary shortlist; None where it has none.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def batching(self) -> Batching: ...  # noqa: D102

    @property
    def full(self) -> "Engine | None": ...  # noqa: D102

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

    def force(
        self, batch: Sequence[Tokens], *, target_lang: str, decoding: Decoding, length: int
    ) -> None:
        """Decode exactly `length` tokens a sentence, its language among them, to take the time.

        Raises:
            EngineOutOfMemoryError: The batch does not fit into memory.
        """
        ...
