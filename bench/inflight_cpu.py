"""Where the time goes in transformers and in in-flight search, on one CPU thread in float32.

Not what the engine is for; but a profile shows what it no longer does, on any machine. The full
mBART-50 shape with random weights, 4 beams, sentences of subtitle-like lengths whose targets are
forced to 0.85 times their sources; transformers gets them sorted, 64 a batch.

    python bench/inflight_cpu.py         # some minutes, and bench/results/inflight_cpu.json
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from full_size import full_size_checkpoint, sized_shortlist, subtitle_lines
from gpu_systems import LANGUAGES, SHORTLIST, TARGET_SHARE, shortened
from machine import machine

from aslbatch.models.cuda_engine import CudaEngine
from aslbatch.models.decoding import Decoding
from aslbatch.models.inflight.flight import Usage
from aslbatch.models.loading import load_model
from aslbatch.models.transformers_engine import TransformersEngine

RESULTS = Path(__file__).parent / "results" / "inflight_cpu.json"
BATCH = 64
SLOTS = 32
BEAMS = 4
HOW = {"target_lang": LANGUAGES[1], "decoding": Decoding(num_beams=BEAMS)}


def main() -> None:
    """Time the systems in turns, profile two of them, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a tiny shape, to try the script")
    parser.add_argument("--sentences", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_model(
        full_size_checkpoint(options.smoke),
        languages=LANGUAGES,
        precision="float32",
        device="cpu",
    )
    tokenizer = loaded.tokenizer
    lines = subtitle_lines(4_096, 1, tokenizer)[: options.sentences]
    rows = sorted(map(shortened, lines), key=len)
    lengths = [max(3, round(TARGET_SHARE * len(row))) for row in rows]
    reference = TransformersEngine(loaded)

    def generate() -> None:
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            length = round(sum(lengths[part]) / len(lengths[part]))
            reference.force(rows[part], length=length, **HOW)

    shortlist = sized_shortlist(tokenizer, len(tokenizer) // 2 if options.smoke else SHORTLIST)
    engines = {"shortlist": CudaEngine.load(loaded, shortlist)}
    engines["whole vocabulary"] = engines["shortlist"].full
    for engine in engines.values():
        engine.pace = replace(engine.pace, beams=SLOTS * BEAMS)
    works: dict[str, Callable[[], None]] = {"transformers": generate}
    for name, engine in engines.items():
        works[f"cuda, {name}"] = lambda engine=engine: engine.force(rows, length=lengths, **HOW)
    times = {name: timed(work) for name, work in works.items()}
    engines["shortlist"].usage = Usage()
    profiles = {name: profile(works[name]) for name in ("transformers", "cuda, shortlist")}
    results = {
        "cpu_seconds": times,
        "times_transformers": {n: times["transformers"] / t for n, t in times.items()},
        "occupancy": engines["shortlist"].usage.occupancy,
        "profiles": profiles,
        "settings": vars(options) | {"batch": BATCH, "slots": SLOTS, "shortlist": SHORTLIST},
        "machine": machine(),
    }
    print(json.dumps(results, indent=1))
    if not options.smoke:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def timed(work: Callable[[], None]) -> float:
    """Return the processor seconds of some work."""
    started = time.process_time()
    work()
    return time.process_time() - started


def profile(work: Callable[[], None]) -> dict[str, float]:
    """Return the processor seconds of each operation itself, those of most first."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        work()
    spent = {event.key: event.self_cpu_time_total / 1e6 for event in profiler.key_averages()}
    ordered = sorted(spent.items(), key=lambda item: -item[1])
    return {"all": sum(spent.values()), **dict(ordered[:20])}


if __name__ == "__main__":
    main()
