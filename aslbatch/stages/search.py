"""Search translations of many sentences: in batches that suit the engine and fit into memory."""

from collections.abc import Callable, Sequence

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, EngineOutOfMemoryError, Hypothesis, Tokens
from aslbatch.stages.batching import make_batches


def search(
    engine: Engine,
    rows: Sequence[Tokens],
    *,
    target_lang: str,
    decoding: Decoding,
    max_tokens: int,
    report: Callable[[int], None] | None = None,
) -> list[list[Hypothesis]]:
    """Translate sentences of any lengths.

    Args:
        engine: Translates a batch.
        rows: Token ids of each sentence.
        target_lang: mBART-50 code.
        decoding: How to search.
        max_tokens: Most tokens a batch, padding included.
        report: Called after each batch with the number of its sentences.

    Returns:
        For each sentence, in their order, its hypotheses, best first; none where memory did not
        suffice for this one sentence alone.
    """
    found: dict[int, list[Hypothesis]] = {}

    def translate(batch: list[int]) -> None:
        """Translate one batch; where memory runs out, its halves, down to one sentence."""
        try:
            hypotheses = engine.translate(
                [rows[index] for index in batch], target_lang=target_lang, decoding=decoding
            )
        except EngineOutOfMemoryError:
            if len(batch) == 1:
                found[batch[0]] = []
                return
        else:
            found.update(zip(batch, hypotheses, strict=True))
            return
        middle = len(batch) // 2
        translate(batch[:middle])
        translate(batch[middle:])

    lengths = [len(row) for row in rows]
    equal_lengths = engine.batching.equal_lengths
    for batch in make_batches(lengths, max_tokens, equal_lengths=equal_lengths):
        translate(batch)
        if report is not None:
            report(len(batch))
    return [found[index] for index in range(len(rows))]
