"""Whether a vocabulary shortlist changes translations: a sample is made without it and compared."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

from aslbatch.errors import QualityAlarmError
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, Hypothesis, Tokens
from aslbatch.provenance.hashing import source_hash
from aslbatch.stages.search import search

AT_THE_END = 0.01
"""Level of the test over a whole run."""
WHILE_AT_WORK = 1e-6
"""Level of a worker's own test, which is made after every shard: many looks must not add up."""
_LEAST_OF_A_RUN = 10
"""Texts that a run audits at least, or one of each shard where it has fewer."""
_HEX_DIGITS = 8


class Audit:
    """Compares a sample of each shard with what the whole vocabulary gives.

    The sample is a function of the shard's texts, so that a rerun audits the same rows. Which of
    them it takes is drawn by a hash over all of them: a line that many shards have is not in the
    sample of each. A worker adds up what it finds over its shards.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        target_lang: str,
        decoding: Decoding,
        max_tokens: int,
        share: float,
        least: float = 0.0,
        least_agreement: float,
    ) -> None:
        """Make an audit.

        Args:
            engine: The model over its whole vocabulary.
            target_lang: mBART-50 code.
            decoding: How to search.
            max_tokens: Most tokens a batch.
            share: Share of the texts that are translated again; 0 for none at all. What it comes
                to in a shard is rounded up or down at random, so that it holds over small ones too.
            least: Texts of a shard at least, rounded likewise.
            least_agreement: Share of equal translations that is wanted; 0 for no alarm.
        """
        self._search = partial(
            search, engine, target_lang=target_lang, decoding=decoding, max_tokens=max_tokens
        )
        self._share, self._least = share, least
        self._least_agreement = least_agreement
        self._audited = 0
        self._agreed = 0

    def sample(self, texts: Sequence[str]) -> list[str]:
        """Return the texts of a shard to audit."""
        if not self._share:
            return []
        salt = source_hash("\n".join(texts))
        rounding = int(salt[-_HEX_DIGITS:], 16) / 16**_HEX_DIGITS
        count = int(max(self._share * len(texts), self._least) + rounding)
        return sorted(texts, key=lambda text: source_hash(salt + text))[:count]

    def compare(
        self, rows: Mapping[str, Tokens], found: Mapping[str, Sequence[Hypothesis]]
    ) -> dict[str, bool]:
        """Translate a sample with the whole vocabulary; return for each text whether it agrees.

        Args:
            rows: Token ids of the sampled texts.
            found: Their hypotheses with the shortlist; the best one of each is compared.

        Raises:
            QualityAlarmError: Agreement is clearly below what is wanted.
        """
        full = self._search(list(rows.values()))
        agrees = {
            text: found[text][0].tokens == hypotheses[0].tokens
            for text, hypotheses in zip(rows, full, strict=True)
            if found[text] and hypotheses
        }
        self._audited += len(agrees)
        self._agreed += sum(agrees.values())
        check_agreement(self._audited, self._agreed, self._least_agreement, level=WHILE_AT_WORK)
        return agrees


def least_of_shard(shards: int) -> float:
    """Return how many texts of a shard are audited at least, so that a run audits some."""
    return min(1.0, _LEAST_OF_A_RUN / max(shards, 1))


def check_agreement(
    audited: int, agreed: int, least_agreement: float, *, level: float = AT_THE_END
) -> None:
    """Check that a sample does not speak against an agreement.

    Args:
        audited: Sampled texts.
        agreed: Those with equal translations.
        least_agreement: The share of all texts that should be equal.
        level: Probability of a false alarm.

    Raises:
        QualityAlarmError: If the agreement were as wanted, so many differences, or more, would be
            seen in a sample with less than this probability (binomial test, one-sided).
    """
    differing = audited - agreed
    if _tail(audited, differing, 1 - least_agreement) < level:
        raise QualityAlarmError(
            f"the vocabulary shortlist changes translations: {differing} of {audited} sampled "
            f"texts come out otherwise with the whole vocabulary, and "
            f"quality.min_shortlist_agreement is {least_agreement}; what is committed stays, but "
            f"was made with the shortlist. Set model.shortlist to off or to a wider list and run "
            f"again with --overwrite, or lower quality.min_shortlist_agreement"
        )


def _tail(count: int, least: int, probability: float) -> float:
    """Return the probability of `least` or more events among `count`, each with `probability`."""
    if least == 0 or probability >= 1:
        return 1.0
    if probability <= 0:
        return 0.0
    yes, no = math.log(probability), math.log1p(-probability)
    ways = (
        math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        for k in range(least)
    )
    below = math.fsum(math.exp(n + k * yes + (count - k) * no) for k, n in enumerate(ways))
    return max(0.0, 1 - below)
