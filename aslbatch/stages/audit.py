"""Whether a vocabulary shortlist changes translations: a sample is made without it and compared."""

import math
from collections.abc import Mapping, Sequence

from aslbatch.errors import QualityAlarmError
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, Hypothesis, Tokens
from aslbatch.provenance.hashing import source_hash
from aslbatch.stages.search import search

_SIGNIFICANCE = 0.01


class Audit:
    """Compares a sample of each shard with what the whole vocabulary gives.

    The sample is a function of the shard's texts, so that a rerun audits the same rows; it is
    random as hashes are. A worker adds up what it finds over its shards.
    """

    def __init__(self, engine: Engine, *, share: float, least_agreement: float) -> None:
        """Make an audit.

        Args:
            engine: The model over its whole vocabulary.
            share: Share of the texts that are translated again; at least one a shard.
            least_agreement: Share of equal translations that is wanted.
        """
        self._engine = engine
        self._share = share
        self._least_agreement = least_agreement
        self._audited = 0
        self._agreed = 0

    def sample(self, texts: Sequence[str]) -> list[str]:
        """Return the texts to audit, those with the lowest hashes."""
        if not self._share:
            return []
        count = min(len(texts), max(1, round(self._share * len(texts))))
        return sorted(texts, key=source_hash)[:count]

    def compare(
        self,
        rows: Mapping[str, Tokens],
        found: Mapping[str, Sequence[Hypothesis]],
        *,
        target_lang: str,
        decoding: Decoding,
        max_tokens: int,
    ) -> dict[str, bool]:
        """Translate a sample with the whole vocabulary; return for each text whether it agrees.

        Args:
            rows: Token ids of the sampled texts.
            found: Their hypotheses with the shortlist; the best one of each is compared.
            target_lang: mBART-50 code.
            decoding: How they were searched.
            max_tokens: Most tokens a batch.

        Raises:
            QualityAlarmError: Agreement is clearly below what is wanted.
        """
        full = search(
            self._engine,
            list(rows.values()),
            target_lang=target_lang,
            decoding=decoding,
            max_tokens=max_tokens,
        )
        agrees = {
            text: found[text][0].tokens == hypotheses[0].tokens
            for text, hypotheses in zip(rows, full, strict=True)
            if found[text] and hypotheses
        }
        self._audited += len(agrees)
        self._agreed += sum(agrees.values())
        check_agreement(self._audited, self._agreed, self._least_agreement)
        return agrees


def check_agreement(audited: int, agreed: int, least_agreement: float) -> None:
    """Check that a sample does not speak against an agreement.

    Args:
        audited: Sampled texts.
        agreed: Those with equal translations.
        least_agreement: The share of all texts that should be equal.

    Raises:
        QualityAlarmError: So many differences, or more, would be seen in less than 1 % of such
            samples if the agreement were as wanted (binomial test, one-sided).
    """
    differing = audited - agreed
    if _tail(audited, differing, 1 - least_agreement) < _SIGNIFICANCE:
        raise QualityAlarmError(
            f"the vocabulary shortlist changes translations: {differing} of {audited} sampled rows "
            f"come out otherwise with the whole vocabulary, and quality.min_shortlist_agreement is "
            f"{least_agreement}; what is committed stays, but was made with the shortlist. Set "
            f"model.shortlist to off or to a wider list and run again with --overwrite, or lower "
            f"quality.min_shortlist_agreement"
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
