"""The systems that `bench/engines.py` compares.

A system decodes batches of token ids with 4 beams, each batch to a length given beforehand. That
length counts the language token and what comes after it, `</s>` included where a system is forced
to end with it (transformers is, CTranslate2 is not): so all make the same number of steps, and all
check that their hypotheses have so many tokens. Tokenizing and decoding of text is left out.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side import Batch, Spent, System, check_lengths, peak_bytes, timed

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Tokens
from aslbatch.models.shortlist import Shortlist
from aslbatch.stages.batching import make_batches

SOURCE_LANG, TARGET_LANG = "en_XX", "asl_GL"
NUM_BEAMS = 4
TARGET_SHARE = 0.85
"""Target tokens a source token, special ones left out."""
_SHORTEST = 2
_AROUND = 2
"""Source tokens that are no text: the language and `</s>`."""

Form = Callable[[Sequence[Tokens]], list[list[int]]]
Translate = Callable[[list[Tokens], int], list[int]]
"""Decodes a batch to a length, and returns the tokens of each hypothesis."""


def forced_length(rows: Sequence[Tokens]) -> int:
    """Return the tokens to which a batch is forced, the language and those of its longest row."""
    return 1 + max(_SHORTEST, round(TARGET_SHARE * (max(map(len, rows)) - _AROUND)))


def in_corpus_order(lines: Sequence[Tokens], size: int) -> list[list[int]]:
    """Return batches of `size` in the order of the corpus, without the rest that fills none."""
    size = min(size, len(lines))
    return [list(range(i, i + size)) for i in range(0, len(lines) - size + 1, size)]


def by_length(
    lines: Sequence[Tokens], max_tokens: int, equal_lengths: bool = False
) -> list[list[int]]:
    """Return batches of similar length within a budget of padded tokens."""
    return make_batches(list(map(len, lines)), max_tokens, equal_lengths=equal_lengths)


def load_transformers(folder: Path, precision: str, form: Form) -> System:
    """Load `generate` of transformers."""
    return _system(form, _generate(folder, precision))


def load_datasets_map(folder: Path, batch_size: int) -> System:
    """Load `datasets.Dataset.map(batched=True)` with `generate` in it."""
    import datasets

    datasets.disable_progress_bars()
    translate = _generate(folder, "float32")

    def translate_columns(columns: dict[str, list[Tokens]]) -> dict[str, list[int]]:
        rows = columns["tokens"]
        return {"count": translate(rows, forced_length(rows))}

    def run(batch: Batch) -> Spent:
        dataset = datasets.Dataset.from_dict({"tokens": batch.rows})
        do_map = partial(
            dataset.map,
            translate_columns,
            batched=True,
            batch_size=batch_size,
            new_fingerprint=os.urandom(8).hex(),  # else it hashes the model
        )
        return timed(lambda: list(do_map()["count"]), batch)

    return System(partial(in_corpus_order, size=batch_size), run)


def load_ray_data(folder: Path, batch_size: int) -> System:
    """Load Ray Data's batch inference: `map_batches` with a class, in a pool of one actor.

    What counts is the time that the warm actor is busy with batches. Starting Ray, the actor and
    the model is left out, and so is what Ray does between batches.
    """
    import ray

    def run(batch: Batch) -> Spent:
        os.environ.update(
            RAY_USAGE_STATS_ENABLED="0",
            RAY_BACKEND_LOG_LEVEL="fatal",
            PYTHONPATH=os.pathsep.join(sys.path),  # so that the actor finds this module
        )
        ray.init(
            "local",
            num_cpus=1,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        try:
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = context.print_on_execution_start = False
            logging.getLogger("ray.data").setLevel(logging.ERROR)
            items = [{"tokens": row} for row in batch.rows]
            results = (
                ray.data.from_items(items, override_num_blocks=1)
                .map_batches(
                    _Predictor,
                    fn_constructor_args=(folder,),
                    batch_size=batch_size,
                    compute=ray.data.ActorPoolStrategy(size=1),
                )
                .take_all()
            )
        finally:
            ray.shutdown()
        check_lengths([row["count"] for row in results], batch)
        return Spent(
            sum(row["seconds"] for row in results),
            sum(row["cpu_seconds"] for row in results),
            max(row["peak_bytes"] for row in results),
        )

    return System(partial(in_corpus_order, size=batch_size), run)


class _Predictor:
    """Translates batches in an actor; each row of the output has its share of the time."""

    def __init__(self, folder: Path) -> None:
        self._translate = _generate(folder, "float32")
        _warm_up(self._translate)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        start, cpu_start = time.perf_counter(), time.process_time()
        rows = [row.tolist() for row in batch["tokens"]]
        counts = self._translate(rows, forced_length(rows))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        return {
            "count": counts,
            "seconds": [seconds / len(rows)] * len(rows),
            "cpu_seconds": [cpu_seconds / len(rows)] * len(rows),
            "peak_bytes": [peak_bytes()] * len(rows),
        }


def load_plain_ctranslate2(converted: Path, folder: Path, max_tokens: int) -> System:
    """Load a plain `ctranslate2.Translator` with the whole vocabulary and its own token batches.

    Those it forms from all lines of a call, sorted by length and filled up to the budget. A forced
    length holds for a call, so here each of these batches is a call.
    """
    import ctranslate2

    from aslbatch.models.tokenizer import Tokenizer

    pieces = Tokenizer.load(folder).pieces
    translator = ctranslate2.Translator(
        str(converted), device="cpu", compute_type="int8", inter_threads=1, intra_threads=1
    )

    def translate(rows: list[Tokens], length: int) -> list[int]:
        results = translator.translate_batch(
            [[pieces[token] for token in row] for row in rows],
            target_prefix=[[TARGET_LANG]] * len(rows),
            beam_size=NUM_BEAMS,
            max_input_length=0,
            min_decoding_length=length,
            max_decoding_length=length,
        )
        return [len(result.hypotheses[0]) for result in results]

    return _system(partial(by_length, max_tokens=max_tokens), translate)


def load_aslbatch(
    folder: Path, fingerprint: str, precision: str, shortlist: Shortlist | None
) -> System:
    """Load the CPU engine of aslbatch, with the batches that it asks for."""
    from aslbatch.models.ctranslate2_engine import CTranslate2Engine
    from aslbatch.models.engines import load_engine

    engine, _ = load_engine(
        folder,
        languages=(SOURCE_LANG, TARGET_LANG),
        engine="ctranslate2",
        precision=precision,
        device="cpu",
        threads=1,
        shortlist=shortlist,
        fingerprint=fingerprint,
    )
    if not isinstance(engine, CTranslate2Engine):
        raise TypeError(f"{engine.name} cannot be forced to a length")

    def search(rows: list[Tokens], length: int) -> list[int]:
        found = engine._search(rows, TARGET_LANG, Decoding(), longest=length, shortest=length)
        return [len(result.hypotheses[0]) for result in found]

    def force(rows: list[Tokens], length: int) -> list[int]:
        engine.force(rows, target_lang=TARGET_LANG, decoding=Decoding(), length=length)
        return [length] * len(rows)

    _warm_up(search)  # which checks what `force` does not return
    form = partial(
        by_length,
        max_tokens=engine.batching.max_tokens,
        equal_lengths=engine.batching.equal_lengths,
    )
    return _system(form, force)


def _generate(folder: Path, precision: str) -> Translate:
    """Return transformers' beam search, as the model card calls it, on one thread."""
    import torch
    import transformers

    from aslbatch.models.loading import load_model

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    loaded = load_model(
        folder, languages=(SOURCE_LANG, TARGET_LANG), precision=precision, device="cpu"
    )
    pad, language = loaded.tokenizer.pad_id, loaded.tokenizer.language_id(TARGET_LANG)

    @torch.inference_mode()
    def translate(rows: list[Tokens], length: int) -> list[int]:
        longest = max(map(len, rows))
        inputs = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
        output = loaded.model.generate(
            input_ids=inputs,
            attention_mask=(inputs != pad).long(),
            forced_bos_token_id=language,
            num_beams=NUM_BEAMS,
            do_sample=False,
            early_stopping=True,
            min_new_tokens=length,
            max_new_tokens=length,
        )
        return (output[:, 1:] != pad).sum(1).tolist()  # the first is the start token

    return translate


def _system(form: Form, translate: Translate) -> System:
    _warm_up(translate)

    def run(batch: Batch) -> Spent:
        return timed(lambda: translate(*batch), batch)

    return System(form, run)


def _warm_up(translate: Translate) -> None:
    rows = [[5] * 10] * 2
    length = forced_length(rows)
    check_lengths(translate(rows, length), Batch(rows, length))
