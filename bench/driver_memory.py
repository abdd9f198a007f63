"""Peak memory of the driver for 20,000 against 2,000,000 rows; it must not grow with the corpus.

The pipeline is the real one; the model is a random tiny one, and a shard has few distinct texts.

    python bench/driver_memory.py [--rows 20000 2000000] [--shard-rows 20000]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from killing import Corpus, Job
from tiny_checkpoint import tiny_checkpoint

RESULTS = Path(__file__).parent / "results" / "driver_memory.json"
MOST = 1.3
FILES = 20

# VmHWM is the process' own peak; what wait4 tells would be that of its largest child.
DRIVER = """
import atexit, pathlib, sys
status, peak = pathlib.Path("/proc/self/status"), pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: peak.write_text(status.read_text()))
from aslbatch.cli import main
main()
"""


def main() -> None:
    """Measure both sizes, print them and their ratio, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs=2, default=(20_000, 2_000_000))
    parser.add_argument("--shard-rows", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aslbatch-memory-") as folder:
        model = tiny_checkpoint(Path(folder) / "model")
        runs = [measure(Path(folder), model, rows, options.shard_rows) for rows in options.rows]
    ratio = runs[1]["peak_mib"] / runs[0]["peak_mib"]
    for run in runs:
        print(f"{run['rows']:>10,} rows in {run['shards']:>5} shards: {run['peak_mib']:.1f} MiB")
    print(f"ratio {ratio:.3f}, at most {MOST} is allowed")
    results = {
        "passed": ratio <= MOST,
        "ratio": round(ratio, 4),
        "at_most": MOST,
        "runs": runs,
        "machine": machine(),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.exit(not results["passed"])


def measure(folder: Path, model: Path, rows: int, shard_rows: int) -> dict[str, float]:
    """Run the job for some rows and return the peak resident memory of its driver."""
    corpus = Corpus.write(folder / f"in-{rows}", rows=rows, files=min(FILES, rows // shard_rows))
    sink, peak = folder / f"out-{rows}", folder / f"peak-{rows}"
    job = Job.write(folder, corpus, model, sink, workers=2, shard_rows=shard_rows)
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", DRIVER, str(peak), "translate", str(job.config)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"CI": "1"},
    )
    status = dict(line.split(":", 1) for line in peak.read_text().splitlines())
    return {
        "rows": rows,
        "shards": job.shards(),
        "committed": job.commits(),
        "peak_mib": round(int(status["VmHWM"].split()[0]) / 1024, 1),
        "wall_s": round(time.monotonic() - started, 1),
    }


if __name__ == "__main__":
    main()
