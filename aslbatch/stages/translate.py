"""Translate the texts of a shard: each text once, in batches of similar length."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, EngineOutOfMemoryError, Hypothesis
from aslbatch.models.tokenizer import EncodedText, Tokenizer
from aslbatch.provenance.hashing import source_hash
from aslbatch.rejects import rejections, set_column, with_rejections
from aslbatch.schema import TEXT, RejectReason, translation_fields
from aslbatch.stages.batching import make_batches

SOURCE_TRUNCATED = "source_truncated"
TARGET_TRUNCATED = "target_truncated"


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of one text.

    Attributes:
        source: The text as the model read it.
        hypotheses: Best first; empty where memory did not suffice for this one sentence.
        texts: The hypotheses as text.
    """

    source: EncodedText
    hypotheses: list[Hypothesis]
    texts: list[str]


class Translate:
    """Fills the translation columns of a shard; see DESIGN of the columns in `aslbatch.schema`.

    A shard's result depends on the shard alone: identical texts are translated once, the rest is
    sorted by length, cut into batches by a budget of padded tokens, and put back in order.
    """

    def __init__(
        self,
        engine: Engine,
        tokenizer: Tokenizer,
        *,
        source_lang: str,
        target_lang: str,
        decoding: Decoding,
        max_tokens: int,
        stamps: Mapping[str, str],
    ) -> None:
        """Make the stage.

        Args:
            engine: Translates a batch.
            tokenizer: The tokenizer of the engine's checkpoint.
            source_lang: mBART-50 code.
            target_lang: mBART-50 code.
            decoding: How to search.
            max_tokens: Most tokens a batch, padding included.
            stamps: Provenance columns that hold one value in all rows.
        """
        self._engine = engine
        self._tokenizer = tokenizer
        self._source_lang = source_lang
        self._target_lang = target_lang
        self._decoding = decoding
        self._max_tokens = max_tokens
        self._stamps = dict(stamps)

    def __call__(self, table: pa.Table, on_rows: Callable[[int], None] | None = None) -> pa.Table:
        """Translate the rows that are not rejected.

        Args:
            table: A normalized shard.
            on_rows: Called now and then with the number of rows done so far.

        Returns:
            The same rows in the same order with the columns of
            `aslbatch.schema.translation_fields`, null in rejected rows.
        """
        texts: list[str | None] = table[TEXT].to_pylist()
        unique = list(dict.fromkeys(text for text in texts if text is not None))
        done = 0

        def report(translated: int) -> None:
            nonlocal done
            done += translated
            if on_rows is not None and unique:
                on_rows(len(texts) * done // len(unique))

        translations = dict(zip(unique, self.translate(unique, report), strict=True))
        results = [None if text is None else translations[text] for text in texts]
        return self._with_columns(table, texts, results)

    def translate(
        self, texts: Sequence[str], report: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Translate texts in batches by length; the result is in their order."""
        encoded = self._tokenizer.encode(texts, self._source_lang, self._decoding.max_length)
        lengths = [len(text.tokens) for text in encoded]
        found: dict[int, list[Hypothesis]] = {}
        for batch in make_batches(lengths, self._max_tokens):
            found |= self._translate_batch(batch, encoded)
            if report is not None:
                report(len(batch))
        flat = [hypothesis.tokens for row in range(len(texts)) for hypothesis in found[row]]
        decoded = iter(self._tokenizer.decode(flat))
        return [
            Translation(source, found[row], [next(decoded) for _ in found[row]])
            for row, source in enumerate(encoded)
        ]

    def _translate_batch(
        self, batch: list[int], encoded: Sequence[EncodedText]
    ) -> dict[int, list[Hypothesis]]:
        """Translate one batch; where memory runs out, its halves, down to one sentence."""
        try:
            hypotheses = self._engine.translate(
                [encoded[row].tokens for row in batch],
                target_lang=self._target_lang,
                decoding=self._decoding,
            )
        except EngineOutOfMemoryError:
            if len(batch) == 1:
                return {batch[0]: []}
        else:
            return dict(zip(batch, hypotheses, strict=True))
        middle = len(batch) // 2
        first = self._translate_batch(batch[:middle], encoded)
        return first | self._translate_batch(batch[middle:], encoded)

    def _with_columns(
        self,
        table: pa.Table,
        texts: Sequence[str | None],
        results: Sequence[Translation | None],
    ) -> pa.Table:
        found = rejections(table)
        rows: list[dict[str, object]] = []
        for index, (text, result) in enumerate(zip(texts, results, strict=True)):
            if text is None or result is None:
                rows.append({})
            elif not result.hypotheses:
                found[index] = (
                    RejectReason.OUT_OF_MEMORY,
                    f"{len(result.source.tokens)} tokens alone do not fit into memory; lower "
                    f"decoding.max_length or decoding.num_beams, or use a larger device",
                )
                rows.append({})
            else:
                rows.append(self._row(text, result))
        translated = pa.array([0 if row else None for row in rows], pa.int32())
        for field in translation_fields(alternatives=self._decoding.num_return_sequences > 1):
            if field.name in self._stamps:
                stamp = pa.array([self._stamps[field.name]])
                values = pa.DictionaryArray.from_arrays(translated, stamp)
            elif field.name not in table.column_names:
                values = pa.array([row.get(field.name) for row in rows], field.type)
            else:
                continue
            table = set_column(table, field.name, values)
        return with_rejections(table, found)

    def _row(self, text: str, result: Translation) -> dict[str, object]:
        best = result.hypotheses[0]
        cut = [SOURCE_TRUNCATED] * result.source.truncated + [TARGET_TRUNCATED] * (
            not best.complete
        )
        return {
            "source_text": text,
            "translation": result.texts[0],
            "score": best.score,
            "alternatives": [
                {"text": alternative, "score": hypothesis.score}
                for alternative, hypothesis in zip(
                    result.texts[1:], result.hypotheses[1:], strict=True
                )
            ],
            "source_tokens": len(result.source.tokens) - 2,
            "target_tokens": len(best.tokens),
            "truncated": bool(cut),
            "flags": cut,
            "source_hash": source_hash(text),
        }
