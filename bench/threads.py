"""Two workers of one thread against one of two threads, and what the second core adds.

The full-size shape, int8, four beams, with a shortlist; every translation has the same number of
tokens. Each arrangement runs in some rounds, in turns, since a shared machine drifts; a ratio is
the median over rounds. Also measured: the peak memory of one worker with everything it needs.

    python bench/threads.py [--smoke] [--rounds 3] [--sentences 128]
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import median

from crew import rate, work
from full_size import full_size_checkpoint, subtitle_lines
from machine import machine
from rich.console import Console
from rich.table import Table

from aslbatch.models.checkpoint import find_checkpoint
from aslbatch.models.conversion import converted
from aslbatch.models.tokenizer import Tokenizer

RESULTS = Path(__file__).parent / "results" / "threads.json"
SHORTLIST = 16_000
BUDGET = 1_024
TARGET_TOKENS = 12
SOURCE_TOKENS = 16
LEAST_SECOND_CORE = 1.8
MOST_MEMORY = (1.3, 1 << 30)
"""Peak memory of a worker: at most so many times the converted model, and so many bytes more."""

ARRANGEMENTS = {
    "1 worker, 1 thread": (1, 1),
    "1 worker, 2 threads": (1, 2),
    "2 workers, 1 thread each": (2, 1),
}


def main() -> None:
    """Measure, print, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a tiny shape, to try the script")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=128, help="of each worker and round")
    options = parser.parse_args()
    checkpoint = full_size_checkpoint(options.smoke)
    tokenizer = Tokenizer.load(checkpoint)
    lines = subtitle_lines(2 * options.sentences, 1, tokenizer)
    # One length, so that all arrangements have the same batches.
    flat = [token for line in lines for token in line[1:-1]]
    rows = [
        [
            lines[0][0],
            *(flat[(i * 5 + k) % len(flat)] for k in range(SOURCE_TOKENS - 2)),
            lines[0][-1],
        ]
        for i in range(2 * options.sentences)
    ]
    parts = [rows[: options.sentences], rows[options.sentences :]]
    rates: dict[str, list[float]] = {name: [] for name in ARRANGEMENTS}
    peaks: list[float] = []
    for _ in range(options.rounds):
        for name, (workers, threads) in ARRANGEMENTS.items():
            reports = work(
                checkpoint,
                [[part] for part in parts[:workers]],
                shortlist_size=SHORTLIST,
                threads=threads,
                budget=BUDGET,
                length=-TARGET_TOKENS,
            )
            rates[name].append(rate(reports))
            peaks += [report["peak_bytes"] for report in reports if threads == 1]
    write(checkpoint, rates, peaks, options)


def write(
    checkpoint: Path,
    rates: dict[str, list[float]],
    peaks: list[float],
    options: argparse.Namespace,
) -> None:
    """Show and store what was measured; exit with 1 where a goal is missed."""
    one, threads, workers = (rates[name] for name in ARRANGEMENTS)
    second_core = median(b / a for a, b in zip(one, workers, strict=True))
    advantage = median(b / a for a, b in zip(threads, workers, strict=True))
    model = converted(
        checkpoint, fingerprint=find_checkpoint(str(checkpoint)).sha256, precision="int8"
    )
    model_bytes = sum(file.stat().st_size for file in model.iterdir())
    allowed = MOST_MEMORY[0] * model_bytes + MOST_MEMORY[1]
    goals = {
        "second core": {"value": second_core, "at_least": LEAST_SECOND_CORE},
        "workers over threads": {"value": advantage, "at_least": 1.0},
        "peak memory, bytes": {"value": max(peaks), "at_most": allowed},
    }
    for goal in goals.values():
        goal["met"] = goal.get("at_least", 0) <= goal["value"] <= goal.get("at_most", float("inf"))
    table = Table(title="rows a second, all workers together")
    for column in ("arrangement", "rounds", "median"):
        table.add_column(column)
    for name, values in rates.items():
        table.add_row(name, " ".join(f"{value:.2f}" for value in values), f"{median(values):.2f}")
    console = Console()
    console.print(table)
    for name, goal in goals.items():
        console.print(f"{name}: {goal['value']:,.2f} ({'met' if goal['met'] else 'missed'})")
    results = {
        "goals": goals,
        "rates": rates,
        "converted_model_bytes": model_bytes,
        "settings": {
            "smoke": options.smoke,
            "sentences": options.sentences,
            "source_tokens": SOURCE_TOKENS,
            "target_tokens": TARGET_TOKENS,
            "shortlist": SHORTLIST,
            "budget": BUDGET,
        },
        "machine": machine(),
    }
    if not options.smoke:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        sys.exit(not all(goal["met"] for goal in goals.values()))


if __name__ == "__main__":
    main()
