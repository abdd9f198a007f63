"""Plan time and peak memory for 5,000 small SRT files and for one JSONL file of 2 GB.

Each corpus is planned in a process of its own, then translated by the real job with a random tiny
model; meanwhile the memory of every process is sampled. What counts is memory of its own (USS):
pages of Ray's object store are shared by all that map them, and are reported apart.

    python bench/corpora.py [--files 5000] [--gigabytes 2]
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import yaml
from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tiny_checkpoint import tiny_checkpoint

RESULTS = Path(__file__).parent / "results" / "corpora.json"
MOST_MIB = 1_536
ROW_BYTES = 2_000
ASLBATCH = str(Path(sys.executable).with_name("aslbatch"))
WORDS = ("the", "we", "you", "they", "see", "want", "book", "house", "water", "teacher", "red")

PLAN = """
import json, resource, sys, time
from aslbatch.shards.plan import auto_shard_rows, make_plan
from aslbatch.shards.plan_file import plan_to_parquet
from aslbatch.shards.reading import Reading
from aslbatch.shards.sources import list_sources
started = time.perf_counter()
sources = list_sources([sys.argv[1]], storage_options={})
listed = time.perf_counter()
plan = make_plan(sources, reading=Reading(),
                 shard_rows=lambda rows, size: auto_shard_rows(rows, size, workers=2))
planned = time.perf_counter()
print(json.dumps({
    "sources": len(sources), "rows": plan.rows, "shards": len(plan.shards),
    "largest_shard_rows": max(shard.rows for shard in plan.shards),
    "list_s": round(listed - started, 2), "plan_s": round(planned - listed, 2),
    "plan_bytes": len(plan_to_parquet(plan)),
    "planner_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
}))
"""


def main() -> None:
    """Measure both corpora, print them, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aslbatch-corpora-") as name:
        folder = Path(name)
        model = tiny_checkpoint(folder / "model")
        runs = {
            "srt": measure(folder, model, write_srt(folder / "srt", options.files)),
            "jsonl": measure(folder, model, write_jsonl(folder / "jsonl", options.gigabytes)),
        }
    passed = all(run["verify"] == 0 and run["most_own_mib"] < MOST_MIB for run in runs.values())
    for kind, run in runs.items():
        print(f"{kind}: " + ", ".join(f"{key} {value}" for key, value in run.items()))
    print(f"most memory of any process: under {MOST_MIB} MiB is wanted, passed: {passed}")
    results = {"passed": passed, "most_mib": MOST_MIB, "runs": runs, "machine": machine()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.exit(not passed)


def write_srt(folder: Path, files: int) -> Path:
    """Write subtitle files of about 40 cues, as of short clips."""
    folder.mkdir()
    chance = random.Random(1)
    for number in range(files):
        cues = (
            f"{cue + 1}\n00:{cue // 20:02}:{cue % 20 * 3:02},000 --> "
            f"00:{cue // 20:02}:{cue % 20 * 3 + 2:02},500\n{sentence(chance)}\n"
            for cue in range(chance.randint(20, 60))
        )
        (folder / f"clip-{number:05}.srt").write_text("\n".join(cues), encoding="utf-8")
    return folder


def write_jsonl(folder: Path, gigabytes: float) -> Path:
    """Write one file of rows with a short text and much else, as crawls have it."""
    folder.mkdir()
    chance = random.Random(2)
    left, number = int(gigabytes * 1e9), 0
    with (folder / "crawl.jsonl").open("w", encoding="utf-8") as file:
        while left > 0:
            page = " ".join(chance.choices(WORDS, k=ROW_BYTES // 5))
            row = {"id": number, "text": sentence(chance), "page": page, "tags": ["a", "b"]}
            left -= file.write(json.dumps(row) + "\n")
            number += 1
    return folder


def sentence(chance: random.Random) -> str:
    """Return one of few sentences, since what is measured is not the model."""
    return " ".join(chance.choices(WORDS[:6], k=3)).capitalize() + "."


def measure(folder: Path, model: Path, corpus: Path) -> dict[str, object]:
    """Plan a corpus, translate it, and verify the output."""
    planned = subprocess.run(
        [sys.executable, "-c", PLAN, str(corpus)], check=True, capture_output=True, text=True
    )
    sink, job = folder / f"out-{corpus.name}", folder / f"{corpus.name}.yaml"
    config = {
        "source": {"paths": str(corpus)},
        "model": {"name": str(model)},
        "decoding": {"num_beams": 1, "max_length": 16},
        "sink": {"path": str(sink)},
        "run": {"workers": 2, "max_failed_rows": 1.0},
    }
    job.write_text(yaml.safe_dump(config), encoding="utf-8")
    started = time.monotonic()
    command = [ASLBATCH, "translate", str(job)]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"CI": "1"})
    peaks: dict[str, dict[str, float]] = {}
    watch = threading.Thread(target=sample, args=(process, peaks))
    watch.start()
    status = process.wait()
    watch.join()
    verify = subprocess.run([ASLBATCH, "verify", str(sink)], stdout=subprocess.DEVNULL)
    return {
        "size_mb": round(sum(f.stat().st_size for f in corpus.iterdir()) / 1e6),
        **json.loads(planned.stdout),
        "exit": status,
        "verify": verify.returncode,
        "job_s": round(time.monotonic() - started, 1),
        "most_own_mib": max(peak["own_mib"] for peak in peaks.values()),
        "verify_peak_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        "peaks": dict(sorted(peaks.items(), key=lambda item: -item[1]["own_mib"])[:6]),
    }


def sample(process: psutil.Process, peaks: dict[str, dict[str, float]]) -> None:
    """Note the largest memory of each kind of process until the first one ends."""
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        for one in family(process):
            try:
                name = one.name().split(" ")[0] if one.pid != process.pid else "driver"
                memory = one.memory_full_info()
            except psutil.Error:
                continue  # it ended while it was looked at
            peak = peaks.setdefault(name, {"own_mib": 0.0, "resident_mib": 0.0})
            peak["own_mib"] = max(peak["own_mib"], round(memory.uss / 2**20, 1))
            peak["resident_mib"] = max(peak["resident_mib"], round(memory.rss / 2**20, 1))
        time.sleep(0.5)


def family(process: psutil.Process) -> Iterator[psutil.Process]:
    """Yield a process and all that it started, as far as they still live."""
    yield process
    try:
        yield from process.children(recursive=True)
    except psutil.NoSuchProcess:
        return


if __name__ == "__main__":
    main()
