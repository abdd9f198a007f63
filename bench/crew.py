"""Processes of `bench/worker.py`: start some, let them work at once, collect what they report."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from aslbatch.models.engine import Tokens

WORKER = Path(__file__).parent / "worker.py"

Shard = list[Tokens]


def work(
    checkpoint: Path,
    parts: Sequence[Sequence[Shard]],
    *,
    shortlist_size: int,
    threads: int,
    budget: int,
    length: int,
) -> list[dict[str, float]]:
    """Have a process for each part translate it, all at the same time.

    Args:
        checkpoint: The model.
        parts: The shards of each process.
        shortlist_size: Tokens that may be generated; 0 for all.
        threads: Of each process.
        budget: Padded tokens of a batch.
        length: `decoding.max_length`; below 0, tokens that every translation is forced to.

    Returns:
        What each process reports, see `bench/worker.py`.
    """
    with tempfile.TemporaryDirectory(prefix="aslbatch-crew-") as folder:
        processes = []
        for index, part in enumerate(parts):
            rows = Path(folder) / f"{index}.json"
            rows.write_text(json.dumps(part), encoding="utf-8")
            words = [str(WORKER), str(checkpoint), shortlist_size, threads, rows, budget, length]
            processes.append(
                subprocess.Popen(
                    [sys.executable, *map(str, words)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env=os.environ | {"OMP_NUM_THREADS": str(threads)},
                )
            )
        for process in processes:
            _line(process)
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(_line(process)) for process in processes]


def rate(reports: Sequence[dict[str, float]]) -> float:
    """Return the rows a second of all processes together, each over its own time."""
    return sum(report["rows"] / report["seconds"] for report in reports)


def _line(process: "subprocess.Popen[str]") -> str:
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the worker ended with {process.wait()}")
    return line
