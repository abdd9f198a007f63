"""What `bench/engines.py` compares with aslbatch, for how long, and what is aimed at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from full_size import sized_shortlist
from peers import (
    by_length,
    in_corpus_order,
    load_aslbatch,
    load_datasets_map,
    load_plain_ctranslate2,
    load_ray_data,
    load_transformers,
)
from side_by_side import System

from aslbatch.models.checkpoint import find_checkpoint
from aslbatch.models.conversion import converted
from aslbatch.models.tokenizer import Tokenizer

BATCH_SIZE = 32
_PLAIN_BUDGETS = (512, 1024)
_OWN_SENTENCES = 70
"""What aslbatch decodes in a round unless more is said; some seconds."""

Load = Callable[[], System]


@dataclass(frozen=True, slots=True)
class Contest:
    """Systems that take turns with aslbatch and its shortlist.

    Attributes:
        loads: What loads each system, by its label; the fastest of them counts.
        sentences: How many each of them decodes in a round.
        rounds: How many rounds.
        own_sentences: How many aslbatch decodes in a round.
        repeats: Whether they get the corpus with its repeats, not the distinct lines.
        ours: Whether they are aslbatch, which translates each distinct line once.
        goal: How many times faster aslbatch should be; None where nothing was aimed at.
        goal_by_lines: Whether that is said of lines of the corpus, of which aslbatch translates
            each distinct one once; else of sentences.
    """

    loads: dict[str, Load]
    sentences: int
    rounds: int = 1
    own_sentences: int = _OWN_SENTENCES
    repeats: bool = False
    ours: bool = False
    goal: float | None = None
    goal_by_lines: bool = False


class Model:
    """The checkpoint under test, and what it was converted to."""

    def __init__(self, folder: Path) -> None:
        """Convert a checkpoint where that is not done yet."""
        self.folder = folder
        self.fingerprint = find_checkpoint(str(folder)).sha256
        self.int8 = converted(folder, fingerprint=self.fingerprint, precision="int8")
        converted(folder, fingerprint=self.fingerprint, precision="float32")
        self.tokenizer = Tokenizer.load(folder)

    def ours(self, size: int | None, precision: str = "int8") -> dict[str, Load]:
        """Return aslbatch with a shortlist of `size` tokens, or with none, under its label."""
        kept = "whole vocabulary" if size is None else f"shortlist of {size:,}"
        shortlist = None if size is None else sized_shortlist(self.tokenizer, size)
        load = partial(load_aslbatch, self.folder, self.fingerprint, precision, shortlist)
        return {f"aslbatch {precision}, {kept}": load}


def contests(
    model: Model, *, shortlist: int, sizes: Sequence[int], budgets: Sequence[int]
) -> Iterator[Contest]:
    """Yield what takes turns with aslbatch.

    Args:
        model: What they all run.
        shortlist: Tokens that aslbatch keeps.
        sizes: Tokens that it keeps for a comparison.
        budgets: Tokens of a batch to try with transformers.
    """
    yield from _transformers(model.folder, budgets)
    plain = {
        budget: partial(load_plain_ctranslate2, model.int8, model.folder, budget)
        for budget in _PLAIN_BUDGETS
    }
    own = {f"CTranslate2 int8, own token batches ({n})": load for n, load in plain.items()}
    yield Contest(own, sentences=50, rounds=3, own_sentences=150, goal=2.2)
    with_repeats = {f"CTranslate2 int8, with repeats ({n})": load for n, load in plain.items()}
    yield Contest(with_repeats, sentences=26, rounds=3, repeats=True, goal=2.8, goal_by_lines=True)
    for size in (None, *sizes):
        yield Contest(model.ours(size), sentences=100, ours=True)
    yield Contest(model.ours(shortlist, "float32"), sentences=100, ours=True)


def _transformers(folder: Path, budgets: Sequence[int]) -> Iterator[Contest]:
    """Yield the ways to call transformers."""
    one, fixed = (partial(in_corpus_order, size=size) for size in (1, BATCH_SIZE))
    card = partial(load_transformers, folder, "float32", one)
    yield Contest({"model card loop": card}, sentences=4, rounds=3, repeats=True, goal=37.0)
    pipeline = {
        f"transformers pipeline, batch_size={BATCH_SIZE}": partial(
            load_transformers, folder, "float32", fixed
        )
    }
    yield Contest(pipeline, BATCH_SIZE, repeats=True, goal=15.0)
    mapped = {"datasets.map, batched generate": partial(load_datasets_map, folder, BATCH_SIZE)}
    yield Contest(mapped, BATCH_SIZE, repeats=True)
    ray_data = {"Ray Data batch inference": partial(load_ray_data, folder, BATCH_SIZE)}
    yield Contest(ray_data, BATCH_SIZE, repeats=True)
    by_budget = {
        f"transformers bfloat16, sorted by length ({budget})": partial(
            load_transformers, folder, "bfloat16", partial(by_length, max_tokens=budget)
        )
        for budget in budgets
    }
    yield Contest(by_budget, sentences=26, rounds=3, goal=6.0)
