"""The whole job against its engine alone on the same shards, and against what --dry-run expected.

The model has the full mBART-50 shape and random weights, which never end a sentence, so
`decoding.max_length` sets the length of all. The job runs as a user runs it, with as many workers
as there are CPUs, its audit of the shortlist included; before and after it, as many processes
translate the same shards with nothing around the engine. Counted is the time from the first shard's
start to the last commit record; the start of cluster and workers is told apart.

    python bench/end_to_end.py [--smoke] [--rows 8192] [--shard-rows 256]
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import fmean

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from crew import rate, work
from full_size import full_size_checkpoint, subtitle_lines
from machine import machine

from aslbatch.config.translate import TranslateConfig
from aslbatch.models.shortlist import make_shortlist
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.estimate import Estimate, estimate
from aslbatch.pipelines.translate import translate

RESULTS = Path(__file__).parent / "results" / "end_to_end.json"
LEAST = 0.95
MAX_LENGTH = 16


def main() -> None:
    """Measure, print, write the results; exit with 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a tiny shape, to try the script")
    parser.add_argument("--rows", type=int, default=8_192)
    parser.add_argument("--shard-rows", type=int, default=256)
    options = parser.parse_args()
    checkpoint = full_size_checkpoint(options.smoke)
    tokenizer = Tokenizer.load(checkpoint)
    lines = subtitle_lines(options.rows, 2, tokenizer)
    texts = tokenizer.decode([line[1:-1] for line in lines])
    with tempfile.TemporaryDirectory(prefix="aslbatch-end-to-end-") as folder:
        config = job(Path(folder), checkpoint, texts, options)
        expected = estimate(config)
        alone = [engine_alone(checkpoint, tokenizer, texts, options, expected)]
        ran = run(config, Path(folder) / "out")
        alone.append(engine_alone(checkpoint, tokenizer, texts, options, expected))
    efficiency = options.rows / ran["work_s"] / fmean(alone)
    results = {
        "efficiency": round(efficiency, 4),
        "at_least": LEAST,
        "met": efficiency >= LEAST,
        "rows": options.rows,
        "job": ran | {"rows_per_s": options.rows / ran["work_s"]},
        "engine_alone_rows_per_s": alone,
        "expected_s": expected.hours * 3_600,
        "expected_over_measured": expected.hours * 3_600 / ran["work_s"],
        "settings": vars(options) | {"max_length": MAX_LENGTH, "workers": expected.pool.workers},
        "machine": machine(),
    }
    print(json.dumps({key: results[key] for key in results if key != "machine"}, indent=1))
    if not options.smoke:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        sys.exit(not results["met"])


def job(
    folder: Path, checkpoint: Path, texts: list[str], options: argparse.Namespace
) -> TranslateConfig:
    """Write the corpus and return the configuration of its job."""
    pq.write_table(pa.table({"text": texts}), folder / "corpus.parquet")
    values = {
        "source": {"paths": str(folder / "corpus.parquet")},
        "model": {"name": str(checkpoint), "shortlist": "ascii"},
        "decoding": {"max_length": MAX_LENGTH},
        # Random weights choose among all tokens alike, so that any shortlist changes all they say.
        "quality": {"min_shortlist_agreement": 0.0},
        "sink": {"path": str(folder / "out")},
        "run": {"shard_rows": options.shard_rows, "max_failed_rows": 1.0},
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return TranslateConfig.model_validate(values)


def engine_alone(
    checkpoint: Path,
    tokenizer: Tokenizer,
    texts: list[str],
    options: argparse.Namespace,
    expected: Estimate,
) -> float:
    """Return rows a second of as many processes as the job has workers, on the job's shards."""
    shards = []
    for start in range(0, len(texts), options.shard_rows):
        distinct = list(dict.fromkeys(texts[start : start + options.shard_rows]))
        encoded = tokenizer.encode(distinct, "en_XX", MAX_LENGTH)
        shards.append([text.tokens for text in encoded])
    shortlist = make_shortlist("ascii", tokenizer, "asl_GL")
    workers = expected.pool.workers
    reports = work(
        checkpoint,
        [shards[index::workers] for index in range(workers)],
        shortlist_size=len(shortlist.ids) if shortlist else 0,
        threads=expected.pool.cpus,
        budget=expected.speed.max_tokens,
        length=MAX_LENGTH,
    )
    return rate(reports) * len(texts) / sum(map(len, shards))


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
