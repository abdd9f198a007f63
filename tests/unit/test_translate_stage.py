"""The translate stage, with an engine that answers by rule and keeps count."""

import pyarrow as pa
import pytest

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Batching, EngineOutOfMemoryError, Hypothesis
from aslbatch.models.tokenizer import EncodedText
from aslbatch.provenance.hashing import source_hash
from aslbatch.schema import AUDIT, DETAIL, REASON, TEXT, translation_fields
from aslbatch.stages import translate
from aslbatch.stages.audit import Audit
from aslbatch.stages.memo import Memo
from aslbatch.stages.translate import Translate

STAMPS = {
    name: f"the-{name}"
    for name in (
        "source_lang",
        "target_lang",
        "model",
        "model_revision",
        "model_sha256",
        "engine",
        "decoding",
        "origin",
        "run_id",
    )
}


class Words:
    """A tokenizer: one token a character, upper-cased on the way back."""

    def encode(self, texts, lang, max_length):
        rows = [list(map(ord, text)) for text in texts]
        return [
            EncodedText([0, *row[: max_length - 2], 2], len(row) > max_length - 2) for row in rows
        ]

    def decode(self, rows):
        return ["".join(map(chr, row)).upper() for row in rows]


class Echo:
    """An engine: gives back its input, and fails on batches of more than `most` sentences."""

    name = "echo"
    batching = Batching(64)
    full = None

    def __init__(self, most=1_000, complete=True):
        self.most = most
        self.complete = complete
        self.batches = []

    def translate(self, batch, *, target_lang, decoding):
        if len(batch) > self.most:
            raise EngineOutOfMemoryError("too much")
        self.batches.append(batch)
        return [
            [
                Hypothesis(row[1:-1] * (n + 1), -float(n), self.complete)
                for n in range(decoding.num_return_sequences)
            ]
            for row in batch
        ]


def shard(texts, reasons=None):
    reasons = reasons or [None] * len(texts)
    return pa.table(
        {
            "id": pa.array(range(len(texts)), pa.int64()),
            TEXT: pa.array(texts, pa.string()),
            "source_uri": pa.array(["a.txt"] * len(texts)).dictionary_encode(),
            "source_row": pa.array(range(len(texts)), pa.int64()),
            REASON: pa.array(reasons, pa.string()),
            DETAIL: pa.array(reasons, pa.string()),
        }
    )


def stage(engine, max_tokens=64, memo=None, audit=None, **decoding):
    return Translate(
        engine,
        Words(),
        source_lang="en_XX",
        target_lang="asl_GL",
        decoding=Decoding(**decoding),
        max_tokens=max_tokens,
        stamps=STAMPS,
        memo=memo,
        audit=audit,
    )


def test_identical_texts_are_translated_once():
    engine = Echo()
    table = stage(engine)(shard(["yes", "no", "yes", "yes"]))
    assert sorted(len(row) for batch in engine.batches for row in batch) == [4, 5]
    assert table["translation"].to_pylist() == ["YES", "NO", "YES", "YES"]


def test_order_is_restored_after_sorting_by_length():
    texts = ["a" * n for n in (5, 90, 1, 33, 7, 64, 2)]
    table = stage(Echo(), max_length=128)(shard(texts))
    assert table["source_text"].to_pylist() == texts
    assert table["translation"].to_pylist() == [text.upper() for text in texts]
    assert table["id"].to_pylist() == list(range(7))


def test_a_shard_may_be_translated_in_parts(monkeypatch):
    texts = [f"text {n % 7}" for n in range(20)] + ["one", "another"]
    whole = stage(Echo())(shard(texts))
    monkeypatch.setattr(translate, "PART", 2)
    assert stage(Echo())(shard(texts)).equals(whole)


def test_out_of_memory_halves_the_batch_until_it_fits():
    engine = Echo(most=3)
    texts = [f"text {n}" for n in range(20)]
    table = stage(engine, max_tokens=10_000)(shard(texts))
    assert table["translation"].to_pylist() == [text.upper() for text in texts]
    assert max(map(len, engine.batches)) <= 3


def test_a_sentence_that_never_fits_is_rejected_and_the_others_are_not():
    class Picky(Echo):
        def translate(self, batch, **kwargs):
            if any(len(row) > 50 for row in batch):
                raise EngineOutOfMemoryError("too much")
            return super().translate(batch, **kwargs)

    table = stage(Picky(), max_tokens=10_000)(shard(["short", "x" * 60, "brief"]))
    assert table["translation"].to_pylist() == ["SHORT", None, "BRIEF"]
    assert table[REASON].to_pylist() == [None, "out_of_memory", None]
    assert "62 tokens alone do not fit" in table[DETAIL][1].as_py()


def test_rejected_rows_are_neither_translated_nor_lost():
    engine = Echo()
    table = stage(engine)(shard(["yes", None, "no"], [None, "empty", None]))
    assert sum(map(len, engine.batches)) == 2
    assert table["translation"].to_pylist() == ["YES", None, "NO"]
    assert table[REASON].to_pylist() == [None, "empty", None]
    assert table["run_id"].to_pylist() == ["the-run_id", None, "the-run_id"]


def test_a_shard_without_any_text_gets_its_columns_too():
    table = stage(Echo())(shard([None], ["empty"]))
    assert {field.name for field in translation_fields(alternatives=False)} <= set(
        table.column_names
    )


def test_every_column_has_the_type_of_the_schema():
    table = stage(Echo(), num_return_sequences=2)(shard(["yes", "no"]))
    for field in translation_fields(alternatives=True):
        assert table.schema.field(field.name).type == field.type, field.name


def test_provenance_and_counts_are_those_of_the_text():
    table = stage(Echo())(shard(["yes"]))
    row = table.to_pylist()[0]
    assert row["source_hash"] == source_hash("yes")
    assert (row["source_tokens"], row["target_tokens"]) == (3, 3)
    assert {name: row[name] for name in STAMPS} == STAMPS


def test_alternatives_hold_the_hypotheses_after_the_best():
    row = stage(Echo(), num_return_sequences=3)(shard(["ab"])).to_pylist()[0]
    assert row["translation"] == "AB"
    assert row["alternatives"] == [
        {"text": "ABAB", "score": -1.0},
        {"text": "ABABAB", "score": -2.0},
    ]


@pytest.mark.parametrize(
    ("text", "complete", "flags"),
    [
        ("short", True, []),
        ("x" * 40, True, ["source_truncated"]),
        ("short", False, ["target_truncated"]),
        ("x" * 40, False, ["source_truncated", "target_truncated"]),
    ],
)
def test_what_was_cut_is_marked(text, complete, flags):
    row = stage(Echo(complete=complete), max_length=20)(shard([text])).to_pylist()[0]
    assert row["truncated"] is bool(flags)
    assert row["flags"] == flags


def test_progress_ends_with_all_rows():
    seen = []
    stage(Echo(), max_tokens=8)(shard(["yes", "no", "yes", "maybe"]), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 4
    assert len(seen) == 3


def test_an_engine_that_wants_equal_lengths_gets_them():
    engine = Echo()
    engine.batching = Batching(64, equal_lengths=True)
    texts = ["ab", "abc", "cd", "a", "def"]
    assert stage(engine)(shard(texts))["translation"].to_pylist() == [t.upper() for t in texts]
    assert [len({len(row) for row in batch}) for batch in engine.batches] == [1, 1, 1]


def test_what_an_earlier_shard_had_is_not_translated_again():
    engine, memo = Echo(), Memo()
    translating = stage(engine, memo=memo)
    first = translating(shard(["yes", "no"]))
    second = translating(shard(["no", "maybe", "yes"]))
    assert sum(map(len, engine.batches)) == 3
    assert memo.hits == 2
    assert second["translation"].to_pylist() == ["NO", "MAYBE", "YES"]
    assert second["score"].to_pylist()[2] == first["score"].to_pylist()[0]


def test_what_did_not_fit_is_tried_again_in_another_shard():
    engine = Echo(most=0)
    translating = stage(engine, memo=Memo())
    assert translating(shard(["yes"]))[REASON].to_pylist() == ["out_of_memory"]
    engine.most = 10
    assert translating(shard(["yes"]))["translation"].to_pylist() == ["YES"]


def test_progress_counts_what_is_remembered():
    translating = stage(Echo(), memo=Memo())
    translating(shard(["yes"]))
    seen = []
    translating(shard(["yes", "no"]), seen.append)
    assert seen[-1] == 2


def test_a_sample_is_audited_once_a_text():
    audit = Audit(
        Echo(),
        target_lang="asl_GL",
        decoding=Decoding(),
        max_tokens=64,
        share=1.0,
        least_agreement=0.98,
    )
    table = stage(Echo(), audit=audit)(
        shard(["yes", None, "no", "yes"], [None, "empty"] + 2 * [None])
    )
    assert table[AUDIT].to_pylist() == [True, None, True, None]


def test_without_an_audit_nothing_is_marked():
    assert stage(Echo())(shard(["yes"]))[AUDIT].to_pylist() == [None]
