"""All scores of a translation against its references, each with an interval.

chrF, chrF++ and BLEU are sacreBLEU's, with its signatures (Post 2018,
https://aclanthology.org/W18-6319); BLEU splits no gloss (Müller et al. 2023,
https://aclanthology.org/2023.acl-short.60).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

import aslbatch
from aslbatch.evaluation.bootstrap import (
    SAMPLES,
    SEED,
    Resampled,
    interval,
    resample,
    resampled_mean,
    resampled_ratio,
)
from aslbatch.evaluation.class_recall import kept_signs
from aslbatch.evaluation.rouge import rouge_l
from aslbatch.evaluation.token_f1 import check_rows, token_f1
from aslbatch.text.gloss import NORMALIZER_VERSION, SignClass, normalized_gloss


@dataclass(frozen=True, slots=True)
class Score:
    """A score with its interval, and all that one needs to compute it again.

    Attributes:
        value: Over all rows, in percent.
        low: Lower end of the 95 % interval.
        high: Upper end.
        signature: How it was computed.
        count: Of how many signs it is a share, where that is not the number of rows.
        samples: [samples], the score of each sample of rows; NaN where there is nothing to score.
    """

    value: float
    low: float
    high: float
    signature: str
    count: int | None
    samples: NDArray[np.float64] = field(repr=False, compare=False)


def corpus_scores(
    hypotheses: Sequence[str], references: Sequence[str], *, gloss: bool, samples: int = SAMPLES
) -> dict[str, Score]:
    """Return every score by its name.

    Args:
        hypotheses: Translations.
        references: What they should be.
        gloss: Whether they are gloss: then BLEU takes tokens as they stand, and there are scores of
            normalized gloss and of classes of signs. A class that no reference has is left out.
        samples: Samples of each interval.

    Raises:
        ValueError: The two differ in length, or are empty.
    """
    check_rows("scores need", hypotheses, references)
    return {
        **_of_sacrebleu(hypotheses, references, gloss=gloss, samples=samples),
        **_of_rows(hypotheses, references, samples),
        **(_of_gloss(hypotheses, references, samples) if gloss else {}),
    }


def sacrebleu_metrics(*, gloss: bool) -> dict[str, Metric]:
    """Return the metrics of sacreBLEU by their names."""
    return {
        "chrF": CHRF(),
        "chrF++": CHRF(word_order=2),
        # It would warn of texts that are tokenized, as some corpora of gloss are.
        "BLEU": BLEU(tokenize="none" if gloss else "13a", force=True),
    }


def _of_sacrebleu(
    hypotheses: Sequence[str], references: Sequence[str], *, gloss: bool, samples: int
) -> dict[str, Score]:
    """Score with sacreBLEU, resampled by us.

    Its own resampling, of 2.5.1, adds up floats of numpy and of Python, and fails where samples are
    of both kinds. Its intervals are symmetric; these hold 95 % of the samples.
    """
    found = {}
    for name, metric in sacrebleu_metrics(gloss=gloss).items():
        counts = metric._extract_corpus_statistics(list(hypotheses), [list(references)])
        resampled = resample(
            np.array(counts, dtype=np.float64),
            partial(_sacrebleu_value, metric),
            samples,
        )
        found[name] = _score(resampled, f"{metric.get_signature()}|{_bootstrap(samples)}")
    return found


def _sacrebleu_value(metric: Metric, sums: NDArray[np.float64]) -> float:
    value: float = metric._compute_score_from_stats(sums.tolist()).score
    return value


def _bootstrap(samples: int) -> str:
    return f"bs:{samples}|seed:{SEED}"


def _score(resampled: Resampled, signature: str, count: int | None = None) -> Score:
    ends = interval(resampled.samples)
    return Score(resampled.value, *ends, signature, count, resampled.samples)


def _of_rows(
    hypotheses: Sequence[str], references: Sequence[str], samples: int
) -> dict[str, Score]:
    pairs = list(zip(hypotheses, references, strict=True))
    ours, theirs = ([len(text.split()) for text in texts] for texts in (hypotheses, references))
    tail = f"v:{aslbatch.__version__}|{_bootstrap(samples)}"
    by_token = f"tok:space|case:lc|{tail}"
    means = {
        "ROUGE-L": ([rouge_l(*pair) for pair in pairs], by_token),
        "token-F1": ([token_f1(*pair) for pair in pairs], by_token),
        "exact match": ([float(a == b) for a, b in pairs], f"case:mixed|{tail}"),
    }
    found = {
        name: _score(resampled_mean(values, samples), signature)
        for name, (values, signature) in means.items()
    }
    if any(theirs):
        ratio = resampled_ratio(ours, theirs, samples)
        found["length ratio"] = _score(ratio, f"tok:space|{tail}")
    return found


def _of_gloss(
    hypotheses: Sequence[str], references: Sequence[str], samples: int
) -> dict[str, Score]:
    pairs = list(zip(hypotheses, references, strict=True))
    normalized = [tuple(map(normalized_gloss, pair)) for pair in pairs]
    signature = (
        f"tok:space|norm:{NORMALIZER_VERSION}|v:{aslbatch.__version__}|{_bootstrap(samples)}"
    )
    f1 = resampled_mean([token_f1(ours, theirs) for ours, theirs in normalized], samples)
    found = {"token-F1 normalized": _score(f1, signature)}
    kept = [kept_signs(*pair) for pair in pairs]
    for each in SignClass:
        parts, wholes = zip(*(row[each] for row in kept), strict=True)
        if any(wholes):
            recall = resampled_ratio(parts, wholes, samples)
            found[f"recall {each.value}"] = _score(recall, signature, sum(wholes))
    return found
