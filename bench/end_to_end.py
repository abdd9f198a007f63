"""The whole job against its engine alone on the same shards, and against what --dry-run expected.

Two models: one of the full mBART-50 shape with random weights, which never end a sentence, so that
`decoding.max_length` sets the length of all; and the demo model with sentences of its grammar, some
hundred times faster, which shows what everything around an engine costs. The job runs as a user
runs it, its audit of the shortlist included; before and after it, as many processes as it has
workers translate half of the same shards each time, with nothing around the engine. Counted is the
time from the first shard's start to the last commit record; the start of cluster and workers is
told apart. The full size runs once with a worker for each CPU, which Ray's own processes then take
time from, and once with one worker, which shows what the pipeline itself costs.

    python bench/end_to_end.py [--smoke] [--rows 2304] [--shard-rows 256] [--demo-rows 60000]
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import crew
import pyarrow as pa
import pyarrow.parquet as pq
from full_size import full_size_checkpoint, subtitle_lines
from machine import machine

from aslbatch.config.translate import TranslateConfig
from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.shortlist import make_shortlist
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.estimate import Estimate, estimate
from aslbatch.pipelines.translate import translate
from aslbatch.training.demo.grammar import Grammar

RESULTS = Path(__file__).parent / "results" / "end_to_end.json"
LEAST = 0.95


@dataclass(frozen=True, slots=True)
class Work:
    """A model and what it translates.

    Attributes:
        checkpoint: The model's folder.
        texts: The rows.
        shard_rows: Rows of a shard.
        workers: `run.workers`.
        max_length: `decoding.max_length`.
        at_least: The efficiency that is aimed at, None for none.
    """

    checkpoint: Path
    texts: list[str]
    shard_rows: int
    workers: int | str
    max_length: int
    at_least: float | None

    def config(self, folder: Path) -> TranslateConfig:
        """Write the corpus and return the configuration of its job."""
        pq.write_table(pa.table({"text": self.texts}), folder / "corpus.parquet")
        values = {
            "source": {"paths": str(folder / "corpus.parquet")},
            "model": {"name": str(self.checkpoint), "shortlist": "ascii"},
            "decoding": {"max_length": self.max_length},
            # Random weights choose among all tokens alike: any shortlist changes all they say.
            "quality": {"min_shortlist_agreement": 0.0},
            "sink": {"path": str(folder / "out")},
            "run": {
                "shard_rows": self.shard_rows,
                "workers": self.workers,
                "max_failed_rows": 1.0,
            },
        }
        return TranslateConfig.model_validate(values)


def main() -> None:
    """Measure, print, write the results; exit with 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a tiny shape, to try the script")
    parser.add_argument("--rows", type=int, default=2_304, help="of each worker, full size")
    parser.add_argument("--shard-rows", type=int, default=256)
    parser.add_argument("--demo-rows", type=int, default=60_000)
    options = parser.parse_args()
    cpus = os.cpu_count() or 1
    works = {
        f"full size, {cpus} workers": full_size(options, workers=cpus),
        "full size, 1 worker": full_size(options, workers=1),
        "demo": demo(options.demo_rows),
    }
    measured = {name: measure(work) for name, work in works.items()}
    results = {"jobs": measured, "settings": vars(options), "machine": machine()}
    print(json.dumps(measured, indent=1))
    if not options.smoke:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        sys.exit(any(job["met"] is False for job in measured.values()))


def full_size(options: argparse.Namespace, *, workers: int) -> Work:
    """Return subtitle-like rows for a model of random weights, all cut at one length."""
    checkpoint = full_size_checkpoint(options.smoke)
    tokenizer = Tokenizer.load(checkpoint)
    lines = subtitle_lines(options.rows * workers, 2, tokenizer)
    return Work(
        checkpoint,
        tokenizer.decode([line[1:-1] for line in lines]),
        options.shard_rows,
        workers,
        max_length=16,
        at_least=LEAST,
    )


def demo(rows: int) -> Work:
    """Return sentences of the demo grammar for the model that knows it."""
    grammar = Grammar(random.Random(3))
    texts = [grammar.sentence().english for _ in range(rows)]
    return Work(DEMO_FOLDER, texts, 4_096, "auto", max_length=128, at_least=None)


def measure(work: Work) -> dict[str, Any]:
    """Estimate, then run the engine alone, the whole job, and the engine alone again."""
    with tempfile.TemporaryDirectory(prefix="aslbatch-end-to-end-") as folder:
        config = work.config(Path(folder))
        expected = estimate(config)
        alone = [engine_alone(work, expected, half=0)]
        ran = run(config, Path(folder) / "out")
        alone.append(engine_alone(work, expected, half=1))
    rows = len(work.texts)
    efficiency = rows / ran["work_s"] / fmean(alone)
    return {
        "rows": rows,
        "efficiency": round(efficiency, 4),
        "at_least": work.at_least,
        "met": None if work.at_least is None else efficiency >= work.at_least,
        "workers": expected.pool.workers,
        "shard_rows": work.shard_rows,
        "max_length": work.max_length,
        "max_tokens": expected.speed.max_tokens,
        "rows_per_s": rows / ran["work_s"],
        "engine_alone_rows_per_s": alone,
        **ran,
        "expected_s": expected.hours * 3_600,
        "expected_over_measured": expected.hours * 3_600 / ran["work_s"],
    }


def engine_alone(work: Work, expected: Estimate, *, half: int) -> float:
    """Return rows a second of as many processes as the job has workers, on half of its shards."""
    tokenizer = Tokenizer.load(work.checkpoint)
    shards = []
    starts = range(0, len(work.texts), work.shard_rows)
    for start in starts:
        distinct = list(dict.fromkeys(work.texts[start : start + work.shard_rows]))
        encoded = tokenizer.encode(distinct, "en_XX", work.max_length)
        shards.append([text.tokens for text in encoded])
    rows = sum(len(work.texts[start : start + work.shard_rows]) for start in starts[half::2])
    shortlist = make_shortlist("ascii", tokenizer, "asl_GL")
    workers = expected.pool.workers
    shards = shards[half::2]
    reports = crew.work(
        work.checkpoint,
        [shards[index::workers] for index in range(workers)],
        shortlist_size=len(shortlist.ids) if shortlist else 0,
        threads=expected.pool.cpus,
        budget=expected.speed.max_tokens,
        length=work.max_length,
    )
    return crew.rate(reports) * rows / sum(map(len, shards))


def run(config: TranslateConfig, out: Path) -> dict[str, float]:
    """Run the job, and return when its work began and ended."""
    first_shard: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not first_shard and not ended.wait(0.02):
            if any((out / "_attempts").rglob("*.json")):
                first_shard.append(time.time())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.time()
    translate(config)
    finished = time.time()
    ended.set()
    watcher.join()
    last_commit = max(path.stat().st_mtime for path in (out / "_commits").iterdir())
    return {
        "start_s": first_shard[0] - started,
        "work_s": last_commit - first_shard[0],
        "end_s": finished - last_commit,
    }


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
