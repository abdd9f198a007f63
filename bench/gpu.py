"""The engine for accelerators: parity, speed, and how near the chip's limit it comes.

One command, some minutes, no network, no ray: the full mBART-50 shape with random weights for
speed, where each target is forced to 0.85 times its source; and a model that is trained here for a
minute or two on the demo grammar, so that targets end by themselves, for parity. What has been
measured is written as it goes.

    python bench/gpu.py [--out bench/results/gpu.json]
    python bench/gpu.py --smoke          # tiny shapes, on a CPU too; its numbers mean nothing
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from gpu_floor import synchronize
from gpu_parity import parity
from gpu_systems import LANGUAGES, Bench, Row, ours, texts_to_texts, transformers_rows
from machine import machine

from aslbatch.models.cuda_engine import CudaEngine
from aslbatch.models.decoding import Decoding
from aslbatch.models.transformers_engine import TransformersEngine

RESULTS = Path(__file__).parent / "results" / "gpu.json"
PACES = ((4_096, 1, 0.0625), (4_096, 0, 0.0625), (4_096, 1, 0.25), (2_048, 1, 0.0625))
SMOKE_PACES = ((32, 0, 0.25), (64, 1, 0.25))
SIZES = (64, 256, 512, 1_024)
GOALS = {
    "times transformers at its best": 8.0,
    "share of the floor, decoder": 0.40,
    "shortlist over whole vocabulary": 1.6,
    "occupancy": 0.90,
}


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
    results: Row = {"machine": machine(), "device": name, "smoke": options.smoke}

    def keep(key: str, value: object) -> None:
        """Write what there is: a run that is cut short leaves that."""
        results[key] = value
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    bench = Bench(device, smoke=options.smoke)
    keep("rates", {"flops": bench.rates.flops, "bytes": bench.rates.bytes})
    rows: list[Row] = []

    def keep_row(row: Row) -> None:
        rows.append(row)
        print(json.dumps(row), flush=True)
        keep("speed", rows)

    for beams, lag, refill in SMOKE_PACES if options.smoke else PACES:
        pace = {"beams": beams, "lag": lag, "refill": refill}
        keep_row(paced(bench, 4, pace, short=True))
    best = dict(zip(("beams", "lag", "refill"), max(rows, key=_speed)["pace"], strict=True))
    keep_row(paced(bench, 4, best, short=False))
    keep_row(paced(bench, 1, best, short=True))
    for row in transformers_rows(bench, (4, 8) if options.smoke else SIZES):
        keep_row(row)
    keep("goals", goals(rows))
    print(json.dumps(results["goals"], indent=1), flush=True)
    keep_row(texts_to_texts(bench))
    keep("parity", parity(device, smoke=options.smoke))
    print(json.dumps(results["parity"], indent=1, ensure_ascii=False), flush=True)
    keep("profiles", profiles(bench))
    for system, table in results["profiles"].items():
        print(system, table, sep="\n")


def paced(bench: Bench, beams: int, pace: dict[str, float], *, short: bool) -> Row:
    """Time the engine with the shortlist, or without."""
    return ours(bench, beams=beams, shortlist=bench.shortlist if short else None, pace=pace)


def goals(rows: Sequence[Row]) -> dict[str, Row]:
    """Return what was aimed at, and what came out."""
    mine = [row for row in rows if row["system"] == "aslbatch" and row["beams"] == 4]
    short = max(mine, key=_speed)
    whole = max((row for row in mine if row["vocabulary"] > short["vocabulary"]), key=_speed)
    theirs = max(
        (
            row
            for row in rows
            if row["system"] == "transformers" and row["beams"] == 4 and "error" not in row
        ),
        key=_speed,
    )
    values = {
        "times transformers at its best": _speed(short) / _speed(theirs),
        "share of the floor, decoder": short["decoder_floor_share"],
        "shortlist over whole vocabulary": _speed(short) / _speed(whole),
        "occupancy": short["occupancy"],
    }
    found = {
        name: {"value": value, "at_least": GOALS[name], "met": value >= GOALS[name]}
        for name, value in values.items()
    }
    same = _speed(whole) / _speed(theirs)
    return found | {"times transformers, both with the whole vocabulary": {"value": same}}


def _speed(row: Row) -> float:
    return row["sentences_per_s"]


def profiles(bench: Bench) -> dict[str, str]:
    """Profile transformers, and the engine, on some of the sentences."""
    rows, lengths = bench.rows[:4_096], bench.targets[:4_096]
    engine = CudaEngine.load(bench.loaded, bench.shortlist)
    reference = TransformersEngine(bench.loaded)
    how = {"target_lang": LANGUAGES[1], "decoding": Decoding()}
    return {
        "transformers": _profile(bench, lambda: reference.force(rows[:256], length=10, **how)),
        "aslbatch": _profile(bench, lambda: engine.force(rows, length=lengths, **how)),
    }


def _profile(bench: Bench, work: Callable[[], None]) -> str:
    """Return the table of torch's profiler for some work."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if bench.device == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    work()
    work()
    with torch.profiler.profile(activities=activities) as profiler:
        work()
        synchronize(bench.device)
    by = "self_cuda_time_total" if bench.device == "cuda" else "self_cpu_time_total"
    return profiler.key_averages().table(sort_by=by, row_limit=20, max_name_column_width=60)


if __name__ == "__main__":
    main()
