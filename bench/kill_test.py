"""Kill -9 a job of 200,000 rows five times, and account for every row afterwards.

Three kills of the driver and all of its Ray processes come at random moments, two in the window
between the data of a shard and its commit record. The rerun's bytes are compared with those of a
run that nothing disturbed, with another number of workers. The model is a random tiny one.

    python bench/kill_test.py [--rows 200000] [--files 20] [--seed 1]
"""

import argparse
import json
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from killing import (
    Corpus,
    Job,
    digests,
    kill_five_times,
    output_ids,
    rejected_rows,
    temporary_files,
)
from tiny_checkpoint import tiny_checkpoint

RESULTS = Path(__file__).parent / "results" / "kill_test.json"


def main() -> None:
    """Run the campaign, print a table, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aslbatch-kill-") as folder:
        results = campaign(Path(folder), options.rows, options.files, options.seed)
    for number, kill in enumerate(results["kills"], 1):
        print(
            f"kill {number}, moment: {kill['moment']:<7} {kill['committed']:>4} of "
            f"{results['shards']} shards committed, {kill['temporary']} temporary files"
        )
    for name, value in results["after"].items():
        print(f"{name:<28} {value}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.exit(not results["passed"])


def campaign(folder: Path, rows: int, files: int, seed: int) -> dict[str, object]:
    """Kill a job five times, rerun it, and compare it with an undisturbed run."""
    model = tiny_checkpoint(folder / "model")
    corpus = Corpus.write(folder / "in", rows=rows, files=files)
    shard_rows = max(500, rows // 100)
    shards = files * -(-rows // files // shard_rows)
    killed, undisturbed = (
        Job.write(folder, corpus, model, folder / name, workers=workers, shard_rows=shard_rows)
        for name, workers in (("killed", 2), ("undisturbed", 1))
    )
    kills = kill_five_times(killed, shards, random.Random(seed))
    rerun, reference = killed.run(), undisturbed.run()
    for driver in (rerun, reference):
        if driver.exit_code:
            print(driver.output)
    ids_in, ids_out = corpus.ids(), output_ids(killed.sink)
    ours, theirs = digests(killed.sink), digests(undisturbed.sink)
    after = {
        "exit code of the rerun": rerun.exit_code,
        "exit code of the reference": reference.exit_code,
        "exit code of verify": killed.verify().exit_code,
        "rows in": len(ids_in),
        "rows translated": len(ids_out) - len(rejected_rows(killed.sink)),
        "rows rejected": len(rejected_rows(killed.sink)),
        "rows lost": len(np.setdiff1d(ids_in, ids_out)),
        "rows twice": len(ids_out) - len(np.unique(ids_out)),
        "files compared": len(ours),
        "files that differ": sum(ours.get(name) != theirs.get(name) for name in ours | theirs),
        "temporary files left": len(temporary_files(killed.sink)),
    }
    bad = [name for name in after if name.startswith("exit") or name in _ZERO]
    return {
        "passed": not any(after[name] for name in bad) and len(ids_in) == rows,
        "rows": rows,
        "files": files,
        "shards": shards,
        "seed": seed,
        "workers": {"killed": 2, "undisturbed": 1},
        "kills": [asdict(kill) for kill in kills],
        "after": after,
        "machine": machine(),
    }


_ZERO = ("rows lost", "rows twice", "files that differ", "temporary files left")

if __name__ == "__main__":
    main()
