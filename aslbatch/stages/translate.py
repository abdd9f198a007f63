"""Translate the texts of a shard: each text once, in batches of similar length."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, Hypothesis
from aslbatch.models.tokenizer import EncodedText, Tokenizer
from aslbatch.provenance.hashing import source_hash
from aslbatch.rejects import rejections, set_column, with_rejections
from aslbatch.schema import AUDIT, TEXT, RejectReason, translation_fields
from aslbatch.stages.audit import Audit
from aslbatch.stages.memo import Memo
from aslbatch.stages.overlap import overlapped
from aslbatch.stages.search import search

SOURCE_TRUNCATED = "source_truncated"
TARGET_TRUNCATED = "target_truncated"
PART = 32_768
"""Texts that are translated together: seconds of an accelerator's work, and more of a CPU's."""

Found = list[list[Hypothesis]]


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
        memo: "Memo[Translation] | None" = None,
        audit: Audit | None = None,
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
            memo: Remembers translations of earlier shards; only for engines whose results do not
                depend on the rest of a batch.
            audit: Compares a sample with what the engine's whole vocabulary gives.
        """
        self._search = partial(
            search, engine, target_lang=target_lang, decoding=decoding, max_tokens=max_tokens
        )
        self._tokenizer = tokenizer
        self._source_lang = source_lang
        self._decoding = decoding
        self._stamps = dict(stamps)
        self._memo = memo
        self._audit = audit

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
        translated = self._with_columns(table, texts, results)
        return set_column(translated, AUDIT, self._audited(texts, translations))

    def translate(
        self, texts: Sequence[str], report: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Translate distinct texts, those that are not remembered; the result is in their order."""
        memo = self._memo
        known = {} if memo is None else {t: hit for t in texts if (hit := memo.get(t))}
        new = [text for text in texts if text not in known]
        if report is not None and known:
            report(len(known))
        for text, translation in zip(new, self._translate(new, report), strict=True):
            known[text] = translation
            if memo is not None and translation.hypotheses:
                memo.put(text, translation)
        return [known[text] for text in texts]

    def _translate(
        self, texts: Sequence[str], report: Callable[[int], None] | None
    ) -> list[Translation]:
        def search_all(encoded: list[EncodedText]) -> tuple[list[EncodedText], Found]:
            return encoded, self._search([text.tokens for text in encoded], report=report)

        return overlapped(
            texts, PART, prepare=self._encode, work=search_all, finish=self._translations
        )

    def _encode(self, texts: Sequence[str]) -> list[EncodedText]:
        return self._tokenizer.encode(texts, self._source_lang, self._decoding.max_length)

    def _translations(self, searched: tuple[list[EncodedText], Found]) -> list[Translation]:
        encoded, found = searched
        flat = [hypothesis.tokens for hypotheses in found for hypothesis in hypotheses]
        decoded = iter(self._tokenizer.decode(flat))
        return [
            Translation(source, hypotheses, [next(decoded) for _ in hypotheses])
            for source, hypotheses in zip(encoded, found, strict=True)
        ]

    def _audited(
        self, texts: Sequence[str | None], translations: Mapping[str, Translation]
    ) -> pa.Array:
        """Return for the first row of each sampled text whether the whole vocabulary agrees."""
        agrees: dict[str, bool] = {}
        if self._audit is not None and translations:
            sample = self._audit.sample(list(translations))
            agrees = self._audit.compare(
                {text: translations[text].source.tokens for text in sample},
                {text: translations[text].hypotheses for text in sample},
            )
        return pa.array(
            [None if text is None else agrees.pop(text, None) for text in texts], pa.bool_()
        )

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
