"""Translating the held-out sentences, and what must not change the result: company and bounds.

Imported by bench/parity.py, which runs and reports it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
from tiny_model import LANGUAGES, held_out_pairs

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Engine, Hypothesis
from aslbatch.models.engines import load_engine
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.stages.batching import make_batches

ENGINES = (
    ("transformers", "float32"),
    ("ctranslate2", "float32"),
    ("ctranslate2", "int8"),
    ("cuda", "float32"),
    ("transformers", "bfloat16"),
    ("cuda", "bfloat16"),
)
ALONE = "one by one"
EQUAL = "equal lengths"
RATIOS = (2.0, 1.0, 0.5)

_BATCH = 32
_MAX_TOKENS = 512
_SHUFFLE_SEED = 5

Batches = list[list[int]]
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """What is translated: one model, one direction, held-out sentences.

    Attributes:
        model: Name of the model.
        folder: Its checkpoint.
        source_lang: mBART-50 code.
        target_lang: mBART-50 code.
        sources: The sentences.
        references: Their translations by the rules of the grammar.
    """

    model: str
    folder: Path
    source_lang: str
    target_lang: str
    sources: list[str]
    references: list[str]

    @property
    def labels(self) -> Row:
        """The first columns of its rows in all tables."""
        return {"model": self.model, "direction": f"{self.source_lang} -> {self.target_lang}"}


@dataclass(frozen=True, slots=True)
class Outputs:
    """What an engine made of the sentences of a case.

    Attributes:
        found: For each sentence its hypotheses, best first.
        texts: For each sentence the text of the best one.
    """

    found: list[list[Hypothesis]]
    texts: list[str]

    @property
    def best(self) -> list[Hypothesis]:
        """The best hypothesis of each sentence."""
        return [hypotheses[0] for hypotheses in self.found]


def make_cases(model: str, folder: Path, sentences: int) -> list[Case]:
    """Return both directions of a model."""
    cases = []
    for (source_lang, target_lang), pairs in held_out_pairs(sentences).items():
        sources, references = [list(side) for side in zip(*pairs, strict=True)]
        cases.append(Case(model, folder, source_lang, target_lang, sources, references))
    return cases


def load(folder: Path, engine: str, precision: str, **settings: object) -> tuple[Engine, Tokenizer]:
    """Load a checkpoint for one core."""
    return load_engine(
        folder,
        languages=LANGUAGES,
        engine=engine,
        precision=precision,
        device="cpu",
        threads=1,
        **settings,
    )


def one_by_one(lengths: Sequence[int]) -> Batches:
    """Return batches of one sentence, as the model card decodes."""
    return [[index] for index in range(len(lengths))]


def sorted_by_length(lengths: Sequence[int]) -> Batches:
    """Return batches of 32 sentences of similar length."""
    return _cut(sorted(range(len(lengths)), key=lambda index: -lengths[index]))


def shuffled(lengths: Sequence[int]) -> Batches:
    """Return batches of 32 sentences in random order."""
    order = list(range(len(lengths)))
    random.Random(_SHUFFLE_SEED).shuffle(order)
    return _cut(order)


def of_equal_length(lengths: Sequence[int]) -> Batches:
    """Return batches without padding, as the int8 engine asks for."""
    return make_batches(lengths, _MAX_TOKENS, equal_lengths=True)


POLICIES: dict[str, Callable[[Sequence[int]], Batches]] = {
    ALONE: one_by_one,
    "32 sorted": sorted_by_length,
    "32 shuffled": shuffled,
    EQUAL: of_equal_length,
}


def _cut(order: list[int]) -> Batches:
    return [order[first : first + _BATCH] for first in range(0, len(order), _BATCH)]


def translate(
    case: Case,
    engine: Engine,
    tokenizer: Tokenizer,
    policy: Callable[[Sequence[int]], Batches] | None = None,
    decoding: Decoding | None = None,
) -> Outputs:
    """Translate the sentences of a case, in their order; batches are the engine's own by default.

    Args:
        case: What to translate.
        engine: Translates.
        tokenizer: The tokenizer of its checkpoint.
        policy: Makes batches out of the lengths of the sentences.
        decoding: How to search; the default is the model card's.
    """
    decoding = decoding or Decoding()
    encoded = tokenizer.encode(case.sources, case.source_lang, decoding.max_length)
    rows = [row.tokens for row in encoded]
    lengths = [len(row) for row in rows]
    wanted = engine.batching
    batches = (
        policy(lengths)
        if policy
        else make_batches(lengths, wanted.max_tokens, equal_lengths=wanted.equal_lengths)
    )
    by_row: dict[int, list[Hypothesis]] = {}
    for batch in batches:
        results = engine.translate(
            [rows[index] for index in batch], target_lang=case.target_lang, decoding=decoding
        )
        by_row.update(zip(batch, results, strict=True))
    found = [by_row[index] for index in range(len(rows))]
    return Outputs(found, tokenizer.decode([hypotheses[0].tokens for hypotheses in found]))


def batch_invariance(alone: Outputs, other: Outputs) -> Row:
    """Return what other batches change: texts of best hypotheses, and scores to the last bit."""
    pairs = list(zip(alone.best, other.best, strict=True))
    moved = [abs(ours.score - theirs.score) for ours, theirs in pairs]
    return {
        "sentences": len(pairs),
        "texts_differ": sum(a != b for a, b in zip(alone.texts, other.texts, strict=True)),
        "scores_differ": sum(map(bool, moved)),
        "largest_score_difference": max(moved),
    }


def bounded_searches(cases: Sequence[Case]) -> list[Row]:
    """Compare searches bounded by the source's length with full ones: int8, all four hypotheses.

    Args:
        cases: Directions of one model.
    """
    decoding = Decoding(num_return_sequences=Decoding().num_beams)
    full: dict[str, Outputs] = {}
    rows: list[Row] = []
    for ratio in (None, *RATIOS):
        engine, tokenizer = load(cases[0].folder, "ctranslate2", "int8", target_ratio=ratio)
        for case in cases:
            with _counted_rows() as searched:
                outputs = translate(case, engine, tokenizer, of_equal_length, decoding)
            if ratio is None:
                full[case.target_lang] = outputs
                continue
            pairs = zip(full[case.target_lang].found, outputs.found, strict=True)
            rows.append(
                {
                    **case.labels,
                    "target_ratio": ratio,
                    "sentences": len(case.sources),
                    "searched_again": sum(searched) - len(case.sources),
                    "differ": sum(ours != theirs for ours, theirs in pairs),
                }
            )
    return rows


@contextmanager
def _counted_rows() -> Iterator[list[int]]:
    """Collect how many sentences each search of CTranslate2 was given."""
    original = ctranslate2.Translator.translate_batch
    counts: list[int] = []

    def counted(
        translator: ctranslate2.Translator, rows: list[list[str]], **options: object
    ) -> object:
        counts.append(len(rows))
        return original(translator, rows, **options)

    ctranslate2.Translator.translate_batch = counted
    try:
        yield counts
    finally:
        ctranslate2.Translator.translate_batch = original
