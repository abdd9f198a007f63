"""What `bench/gpu.py` times: the engine for accelerators, and transformers."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from full_size import full_size_checkpoint, sized_shortlist, subtitle_lines
from gpu_floor import Floor, floor, measured_rates, synchronize

from aslbatch.models.cuda_engine import CudaEngine
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import EngineOutOfMemoryError, Tokens
from aslbatch.models.inflight.flight import Usage
from aslbatch.models.loading import load_model
from aslbatch.models.memory import memory_told_apart
from aslbatch.models.shortlist import Shortlist
from aslbatch.stages.translate import Translate

LANGUAGES = ("en_XX", "asl_GL")
PRECISION = {"cuda": "bfloat16", "cpu": "float32"}
SHORTLIST = 32_000
MEAN_SOURCE = 12
_MEAN_WORDS = 17.7
TARGET_SHARE = 0.85
_BATCHES = 8

Row = dict[str, object]


class Bench:
    """A full-size model, sentences, and what the chip does at best.

    Attributes:
        rows: Source tokens, 12 in the mean, with the lengths of subtitles.
        targets: Tokens that each is forced to, its language and its end among them.
    """

    def __init__(self, device: str, *, smoke: bool) -> None:
        self.device = device
        self.loaded = load_model(
            full_size_checkpoint(smoke),
            languages=LANGUAGES,
            precision=PRECISION[device],
            device=device,
        )
        model, tokenizer = self.loaded.model, self.loaded.tokenizer
        self.config, self.dtype = model.config, model.dtype
        self.rates = measured_rates(device, self.dtype, 256 if smoke else 8_192)
        self.shortlist = sized_shortlist(tokenizer, len(tokenizer) // 2 if smoke else SHORTLIST)
        self.rows = [
            shortened(row) for row in subtitle_lines(96 if smoke else 49_152, 1, tokenizer)
        ]
        self.targets = [max(3, round(TARGET_SHARE * len(row))) for row in self.rows]

    def floor(self, part: slice, beams: int, vocabulary: int) -> Floor:
        """Return the least time for some of the sentences."""
        return floor(
            self.config,
            self.rates,
            source_lengths=list(map(len, self.rows[part])),
            target_lengths=self.targets[part],
            beams=beams,
            vocabulary=vocabulary,
            bytes_each=self.dtype.itemsize,
        )

    def timed(self, work: Callable[[], object]) -> float:
        """Return the seconds of some work, that of the device among them."""
        synchronize(self.device)
        started = time.perf_counter()
        work()
        synchronize(self.device)
        return time.perf_counter() - started


def shortened(row: Tokens) -> Tokens:
    """Return a row with so many of its words that the mean of all is `MEAN_SOURCE` tokens."""
    words = max(1, round((len(row) - 2) * (MEAN_SOURCE - 2) / _MEAN_WORDS))
    return [*row[: words + 1], row[-1]]


def ours(bench: Bench, *, beams: int, shortlist: Shortlist | None, pace: dict[str, float]) -> Row:
    """Time the engine on a third of the sentences, warmed up with another third.

    Args:
        bench: Model and sentences.
        beams: Of the search.
        shortlist: Tokens that are kept.
        pace: Changes of `aslbatch.models.inflight.flight.Pace`.
    """
    engine = CudaEngine.load(bench.loaded, shortlist)
    engine.pace = replace(engine.pace, **pace)
    third = len(bench.rows) // 3
    cold, warm = slice(0, third), slice(third, 2 * third)

    def decode(part: slice) -> None:
        how = {"target_lang": LANGUAGES[1], "decoding": Decoding(num_beams=beams)}
        engine.force(bench.rows[part], length=bench.targets[part], **how)

    if bench.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    cold_s = bench.timed(lambda: decode(cold))
    decode(cold)  # what was seen once only is captured now
    engine.usage = Usage()
    took = bench.timed(lambda: decode(warm))
    vocabulary = bench.config.vocab_size if shortlist is None else len(shortlist.ids)
    least = bench.floor(warm, beams, vocabulary)
    return {
        "system": "aslbatch",
        "beams": beams,
        "vocabulary": vocabulary,
        "pace": [engine.pace.beams, engine.pace.lag, engine.pace.refill],
        "sentences_per_s": third / took,
        "target_tokens_per_s": sum(bench.targets[warm]) / took,
        "first_call_s": cold_s,
        "seconds": took,
        "floor_share": (least.encoder_s + least.decoder_s) / took,
        "decoder_floor_share": least.decoder_s / (took - least.encoder_s),
        "occupancy": engine.usage.occupancy,
        "peak_bytes": torch.cuda.max_memory_allocated() if bench.device == "cuda" else None,
    }


def texts_to_texts(bench: Bench) -> Row:
    """Time what a worker does with texts: tokens, search, texts. Random weights end by themselves.

    Their targets have other lengths than the forced ones, so that only the share of the time that
    the search itself took means something.
    """
    tokenizer = bench.loaded.tokenizer
    engine = CudaEngine.load(bench.loaded, bench.shortlist)
    rows = bench.rows[: len(bench.rows) // 6]
    texts = list(dict.fromkeys(tokenizer.decode(rows)))
    decoding = Decoding(max_length=24)
    stage = Translate(
        engine,
        tokenizer,
        source_lang=LANGUAGES[0],
        target_lang=LANGUAGES[1],
        decoding=decoding,
        max_tokens=engine.batching.max_tokens,
        stamps={},
    )
    encoded = [text.tokens for text in tokenizer.encode(texts, LANGUAGES[0], 24)]
    search = lambda: engine.translate(encoded, target_lang=LANGUAGES[1], decoding=decoding)  # noqa: E731
    search()
    alone = bench.timed(search)
    whole = bench.timed(lambda: stage.translate(texts))
    return {
        "system": "aslbatch, texts to texts",
        "texts": len(texts),
        "search_share": alone / whole,
    }


def transformers_rows(bench: Bench, sizes: Sequence[int]) -> Iterator[Row]:
    """Time `generate`, sentences sorted by length, on batches that stand for all lengths."""
    for beams in (4, 1):
        for size in sizes:
            yield from _generated(bench, size, beams, cache=None)
        yield from _generated(bench, sizes[-1], beams, cache="static")


def _generated(bench: Bench, size: int, beams: int, cache: str | None) -> Iterator[Row]:
    order = sorted(range(len(bench.rows)), key=lambda index: len(bench.rows[index]))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    step = max(1, len(batches) // _BATCHES)
    row: Row = {"system": "transformers", "beams": beams, "batch": size, "cache": cache}
    done, took = 0, 0.0
    for batch in batches[step // 2 :: step]:
        work = _generate(bench, batch, beams, cache)
        try:
            with memory_told_apart():
                work()
                took += bench.timed(work)
        except (EngineOutOfMemoryError, RuntimeError, ValueError) as error:
            yield row | {"error": str(error)[:200]}
            return
        done += len(batch)
    yield row | {"sentences_per_s": done / took}


def _generate(
    bench: Bench, batch: Sequence[int], beams: int, cache: str | None
) -> Callable[[], object]:
    """Return a call of `generate` for some sentences, with the mean of their targets' lengths."""
    tokenizer = bench.loaded.tokenizer
    rows = [bench.rows[index] for index in batch]
    length = round(sum(bench.targets[index] for index in batch) / len(batch))
    longest = max(map(len, rows))
    padded = [row + [tokenizer.pad_id] * (longest - len(row)) for row in rows]
    inputs = torch.tensor(padded, device=bench.device)
    return torch.inference_mode()(
        lambda: bench.loaded.model.generate(
            input_ids=inputs,
            attention_mask=inputs.ne(tokenizer.pad_id).long(),
            num_beams=beams,
            do_sample=False,
            min_new_tokens=length,
            max_new_tokens=length,
            forced_bos_token_id=tokenizer.language_id(LANGUAGES[1]),
            early_stopping=True if beams > 1 else None,
            cache_implementation=cache,
        )
    )
