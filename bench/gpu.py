"""The engine for accelerators: parity, speed, and how near the chip's limit it comes.

One command, some minutes, no network, no ray: the full mBART-50 shape with random weights for
speed, where each target is forced to 0.85 times its source; and a model that is trained here for a
minute or two on the demo grammar, so that targets end by themselves, for parity.

    python bench/gpu.py [--out bench/results/gpu.json]
    python bench/gpu.py --smoke          # tiny shapes, on a CPU too; its numbers mean nothing
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from full_size import full_size_checkpoint, sized_shortlist, subtitle_lines
from gpu_floor import Floor, floor, measured_rates, seconds, synchronize
from gpu_parity import parity
from machine import machine

from aslbatch.models.cuda_engine import CudaEngine
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import EngineOutOfMemoryError, Tokens
from aslbatch.models.inflight.flight import Usage
from aslbatch.models.loading import LoadedModel, load_model
from aslbatch.models.shortlist import Shortlist
from aslbatch.models.transformers_engine import TransformersEngine
from aslbatch.stages.batching import make_batches

RESULTS = Path(__file__).parent / "results" / "gpu.json"
SHORTLIST = 32_000
MEAN_SOURCE = 12
TARGET_SHARE = 0.85
PRECISION = {"cuda": "bfloat16", "cpu": "float32"}
GOALS = {
    "times transformers at its best": 8.0,
    "share of the floor, decoder": 0.40,
    "shortlist over whole vocabulary": 1.6,
    "occupancy": 0.90,
}

Row = dict[str, object]


class Bench:
    """Sentences, models and rates of one run."""

    def __init__(self, device: str, *, smoke: bool) -> None:
        self.device, self.smoke = device, smoke
        self.precision = PRECISION[device]
        self.folder = full_size_checkpoint(smoke)
        self.loaded = self.load()
        self.config = self.loaded.model.config
        dtype = self.loaded.model.dtype
        self.rates = measured_rates(device, dtype, *([256] if smoke else []))
        tokenizer = self.loaded.tokenizer
        self.shortlist = sized_shortlist(tokenizer, len(tokenizer) // 2 if smoke else SHORTLIST)
        self.rows = [
            shortened(row) for row in subtitle_lines(64 if smoke else 32_768, 1, tokenizer)
        ]
        self.targets = [max(2, round(TARGET_SHARE * len(row))) for row in self.rows]

    def load(self) -> LoadedModel:
        """Load the full-size model."""
        languages = ("en_XX", "asl_GL")
        return load_model(
            self.folder, languages=languages, precision=self.precision, device=self.device
        )

    def floor(self, beams: int, vocabulary: int, count: int) -> Floor:
        """Return the least time for the first sentences."""
        return floor(
            self.config,
            self.rates,
            source_lengths=list(map(len, self.rows[:count])),
            # The language is given, and what ends a sentence costs no step of its own.
            target_lengths=[target - 1 for target in self.targets[:count]],
            beams=beams,
            vocabulary=vocabulary,
            bytes_each=self.loaded.model.dtype.itemsize,
        )

    def engine(self, shortlist: Shortlist | None, slots: int | None = None) -> CudaEngine:
        """Return the engine under test."""
        engine = CudaEngine.load(self.loaded, shortlist)
        if slots is not None:
            engine.most_slots = slots
        return engine


def shortened(row: list[int]) -> list[int]:
    """Return a row with as much of its words as makes the mean of all `MEAN_SOURCE`."""
    kept = max(1, round((len(row) - 2) * (MEAN_SOURCE - 2) / 17.7))
    return [*row[: kept + 1], row[-1]]


def ours(bench: Bench, *, beams: int, shortlist: Shortlist | None, slots: int | None) -> Row:
    """Time the engine: all sentences once, after a warm-up with some of them."""
    engine = bench.engine(shortlist, slots)
    decoding = Decoding(num_beams=beams)
    force = partial(engine.force, target_lang="asl_GL", decoding=decoding)
    count = len(bench.rows)
    if shortlist is None or beams == 1:
        count = max(count // 2, 1)
    few = min(count, 4 * (slots or 1_024))
    force(bench.rows[:few], length=bench.targets[:few])
    engine.usage = Usage()
    took = seconds(
        lambda: force(bench.rows[:count], length=bench.targets[:count]), bench.device, repeats=1
    )
    vocabulary = bench.config.vocab_size if shortlist is None else len(shortlist.ids)
    least = bench.floor(beams, vocabulary, count)
    return {
        "system": "aslbatch",
        "beams": beams,
        "vocabulary": vocabulary,
        "slots": engine.most_slots,
        "sentences_per_s": count / took,
        "target_tokens_per_s": sum(bench.targets[:count]) / took,
        "floor_share": (least.encoder_s + least.decoder_s) / took,
        "decoder_floor_share": least.decoder_s / (took - least.encoder_s),
        "occupancy": engine.usage.occupancy,
        "peak_bytes": torch.cuda.max_memory_allocated() if bench.device == "cuda" else None,
    }


def transformers_rows(bench: Bench, sizes: tuple[int, ...]) -> Iterator[Row]:
    """Time `generate`, sentences sorted by length, on batches that stand for all lengths."""
    engine = TransformersEngine(bench.loaded)
    for beams in (4, 1):
        for size in sizes:
            try:
                yield _generate(bench, engine, size, beams)
            except EngineOutOfMemoryError as error:
                yield {"system": "transformers", "batch": size, "error": str(error)[:200]}


def _generate(bench: Bench, engine: TransformersEngine, size: int, beams: int) -> Row:
    order = sorted(range(len(bench.rows)), key=lambda index: len(bench.rows[index]))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    step = max(1, len(batches) // (2 if bench.smoke else 10))
    decoding = Decoding(num_beams=beams)
    done, took = 0, 0.0
    for number, batch in enumerate(batches[step // 2 :: step]):
        rows = [bench.rows[index] for index in batch]
        length = round(sum(bench.targets[index] for index in batch) / len(batch))
        work = partial(engine.force, rows, target_lang="asl_GL", decoding=decoding, length=length)
        if number == 0:
            work()
        synchronize(bench.device)
        started = time.perf_counter()
        work()
        synchronize(bench.device)
        took += time.perf_counter() - started
        done += len(batch)
    return {"system": "transformers", "beams": beams, "batch": size, "sentences_per_s": done / took}


def profile(bench: Bench, work: Callable[[], None]) -> str:
    """Return the table of torch's profiler for some work."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if bench.device == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    work()
    with torch.profiler.profile(activities=activities) as profiler:
        work()
        synchronize(bench.device)
    by = "self_cuda_time_total" if bench.device == "cuda" else "self_cpu_time_total"
    return profiler.key_averages().table(sort_by=by, row_limit=20, max_name_column_width=60)


def profiles(bench: Bench) -> dict[str, str]:
    """Profile transformers, and the engine, on some of the sentences."""
    count = 32 if bench.smoke else 4_096
    rows, lengths = bench.rows[:count], bench.targets[:count]
    engine = bench.engine(bench.shortlist)
    reference = TransformersEngine(bench.loaded)
    (batch, *_) = make_batches(list(map(len, rows)), 4_096)
    few: list[Tokens] = [rows[index] for index in batch][:256]
    how = {"target_lang": "asl_GL", "decoding": Decoding()}
    return {
        "transformers": profile(bench, lambda: reference.force(few, length=10, **how)),
        "aslbatch": profile(bench, lambda: engine.force(rows, length=lengths, **how)),
    }


def goals(rows: list[Row]) -> dict[str, Row]:
    """Return what was aimed at, and what came out."""
    mine = [row for row in rows if row["system"] == "aslbatch" and row["beams"] == 4]
    short = max(mine, key=lambda row: row["sentences_per_s"])
    whole = max((r for r in mine if r["vocabulary"] > short["vocabulary"]), key=_speed)
    theirs = max(
        (r for r in rows if r["system"] == "transformers" and r.get("beams") == 4), key=_speed
    )
    values = {
        "times transformers at its best": _speed(short) / _speed(theirs),
        "share of the floor, decoder": short["decoder_floor_share"],
        "shortlist over whole vocabulary": _speed(short) / _speed(whole),
        "occupancy": short["occupancy"],
    }
    return {
        name: {"value": value, "at_least": GOALS[name], "met": value >= GOALS[name]}
        for name, value in values.items()
    }


def _speed(row: Row) -> float:
    return row["sentences_per_s"]


def main() -> None:
    """Measure, print as it goes, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="tiny shapes, to try the script")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--device", choices=("cuda", "cpu"))
    options = parser.parse_args()
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cpu" and not options.smoke:
        parser.error("there is no CUDA device; --smoke tries the script on a CPU")
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    results: dict[str, object] = {"machine": machine(), "device": name, "smoke": options.smoke}

    def keep(key: str, value: object) -> None:
        """Write what there is: a run that is cut short leaves that."""
        results[key] = value
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(key, json.dumps(value, indent=1), flush=True)

    keep("parity", parity(device, smoke=options.smoke))
    bench = Bench(device, smoke=options.smoke)
    keep("rates", {"flops": bench.rates.flops, "bytes": bench.rates.bytes})
    rows: list[Row] = []
    for slots in (8, 16) if options.smoke else (256, 512, 1_024):
        rows.append(ours(bench, beams=4, shortlist=bench.shortlist, slots=slots))
        keep("speed", rows)
    best = max(rows, key=_speed)["slots"]
    rows.append(ours(bench, beams=4, shortlist=None, slots=best))
    rows.append(ours(bench, beams=1, shortlist=bench.shortlist, slots=best))
    keep("speed", rows)
    rows += transformers_rows(bench, (4, 8) if options.smoke else (1, 64, 256, 512))
    keep("speed", rows)
    keep("goals", goals(rows))
    results["profiles"] = profiles(bench)
    for system, table in results["profiles"].items():
        print(system, table, sep="\n")
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
