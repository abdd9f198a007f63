"""How fast a worker of a run would be, measured where it would run."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from aslbatch.models.calibration import Cost
from aslbatch.pipelines.worker import batch_budget, calibration, load_model, make_stage
from aslbatch.pipelines.worker_settings import WorkerSettings
from aslbatch.stages.batching import make_batches
from aslbatch.stages.translate import Translate

_FIRST_BATCH = 8
_TIMED_S = 10.0
_MOST_LENGTHS = 65_536


@dataclass(frozen=True, slots=True)
class Speed:
    """What a worker measured.

    Attributes:
        max_tokens: Padded tokens of a batch.
        row_s: Seconds of a worker for each row, rejected ones and repeats counted in.
        source_tokens: Source tokens of a row with its two special ones, likewise.
    """

    max_tokens: int
    row_s: float
    source_tokens: float


def measure_speed(
    settings: WorkerSettings, texts: Sequence[str | None], shard_rows: float
) -> Speed:
    """Measure what tokens cost, and translate some texts to see how long translations are.

    Args:
        settings: The worker that would be used.
        texts: A sample of rows, None where a row would be rejected.
        shard_rows: Rows of a shard, on average: of few rows no full batches can be made.
    """
    engine, tokenizer = load_model(settings)
    max_tokens = batch_budget(engine, tokenizer, settings)
    cost = calibration(engine, tokenizer, settings).cost(max_tokens)
    stage = make_stage(engine, tokenizer, settings, max_tokens=max_tokens)
    kept = [text for text in texts if text is not None]
    distinct = list(dict.fromkeys(kept))
    encoded = tokenizer.encode(distinct, settings.source_lang, settings.decoding.max_length)
    lengths = sorted(len(text.tokens) for text in encoded)
    # Of each shard so many rows have a text of their own, as far as the sample tells.
    share = len(distinct) / len(texts)
    seconds = shard_seconds(
        cost,
        _spread(lengths, min(round(shard_rows * share), _MOST_LENGTHS)),
        target_ratio=_target_ratio(stage, distinct),
        max_tokens=max_tokens,
        equal_lengths=engine.batching.equal_lengths,
    )
    return Speed(
        max_tokens=max_tokens,
        row_s=seconds * share,
        source_tokens=sum(lengths) / max(len(lengths), 1) * len(kept) / len(texts),
    )


def shard_seconds(
    cost: Cost,
    lengths: Sequence[int],
    *,
    target_ratio: float,
    max_tokens: int,
    equal_lengths: bool,
) -> float:
    """Return the seconds for each sentence of a shard, from the batches it is cut into.

    Args:
        cost: What tokens and steps cost.
        lengths: Source tokens of its sentences.
        target_ratio: Target tokens for each source token.
        max_tokens: Padded tokens of a batch.
        equal_lengths: See `aslbatch.models.engine.Batching`.
    """
    seconds = 0.0
    for batch in make_batches(lengths, max_tokens, equal_lengths=equal_lengths):
        longest = max(lengths[index] for index in batch)
        seconds += cost.seconds(len(batch), longest, target_ratio * longest)
    return seconds / max(len(lengths), 1)


def _target_ratio(stage: Translate, texts: Sequence[str]) -> float:
    """Translate some texts, for ten seconds; return their target tokens for each source token."""
    source = target = done = 0
    size = _FIRST_BATCH
    started = time.perf_counter()
    while done < len(texts) and time.perf_counter() - started < _TIMED_S:
        batch = stage.translate(texts[done : done + size])
        done, size = done + len(batch), size * 2
        source += sum(len(translation.source.tokens) for translation in batch)
        # The end is a step too.
        target += sum(len(t.hypotheses[0].tokens) + 1 for t in batch if t.hypotheses)
    return target / max(source, 1)


def _spread(lengths: Sequence[int], count: int) -> list[int]:
    """Return so many lengths, at least one, with the same quantiles as some sorted ones."""
    if not lengths:
        return []
    count = max(count, 1)
    return [lengths[(2 * i + 1) * len(lengths) // (2 * count)] for i in range(count)]
