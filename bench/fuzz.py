"""Feed made and harmed files to every parser: no crash, no hang, every row accounted for.

    python bench/fuzz.py [--inputs 20000] [--parser NAME ...] [--seed 0] [--json FILE] [--keep DIR]

What fails is kept in a folder whose name is printed; the exit code is 1 then.
"""

import argparse
import json
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import PARSERS, Tally, fuzz


def main() -> None:
    """Fuzz the parsers one after the other, print a line for each, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="files a parser")
    parser.add_argument("--parser", nargs="+", choices=list(PARSERS), default=list(PARSERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the results are written too")
    parser.add_argument("--keep", type=Path, help="folder for files that fail")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="aslbatch-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    print("parser     inputs       rows  rejected  refused  seconds  slowest  failures")
    tallies = {}
    for name in options.parser:
        tallies[name] = tally = run(name, options.inputs, options.seed, folder)
        print(
            f"{name:8} {tally.inputs:>8,} {tally.rows:>10,} {tally.rejected:>9,} "
            f"{tally.refused:>8,} {tally.seconds:>8.1f} {tally.slowest:>7.2f}s "
            f"{len(tally.failures):>9}",
            flush=True,
        )
        for file, failure in tally.failures.items():
            print(f"  {folder / file}: {failure}")
    failed = any(tally.failures for tally in tallies.values())
    if options.json:
        results = {
            "passed": not failed,
            "seed": options.seed,
            "peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
            "parsers": {name: asdict(tally) for name, tally in tallies.items()},
            "machine": machine(),
        }
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.exit(failed)


def run(name: str, inputs: int, seed: int, folder: Path) -> Tally:
    """Fuzz in a process of its own, whose end is a failure too."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(fuzz, name, inputs=inputs, seed=seed, folder=folder).result()
        except BrokenProcessPool:
            # Files that passed are gone, so the last one there is the one that it broke on.
            files = sorted(folder.glob(f"{name}-*"), key=lambda file: file.stat().st_mtime_ns)
            left = files[-1].name if files else name
            return Tally(failures={left: "the process crashed, or was ended as it hung"})


if __name__ == "__main__":
    main()
