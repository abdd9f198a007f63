"""Whole labelings by each kind of teacher, all faults on: what is paid in vain, what is wrong.

python bench/teachers.py TABLE [--column SENTENCE] [--rows 5000] [--rates 0.02 0.05] [--json FILE]

The table's sentences are repeated to that many rows. Once as they are, so that each text is asked
for once however often it comes; once with a number behind each, so that all rows are distinct.
The services are loopback servers of the tests, which know the truth and keep a ledger.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from itertools import cycle, islice, product
from pathlib import Path
from unittest.mock import patch

from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pyarrow as pa
import pyarrow.parquet as pq
from labeling import API_KEY, KEY_NAME, answers_of, config, labeled_at_last, teacher
from teacher_faults import Faults
from teacher_server import TeacherServer, true_gloss

from aslbatch.cluster.session import Cluster
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage

JOB_FAULTS = (
    "all_failed",
    "expired",
    "partial",
    "cancelled",
    "failed",
    "lost_creates",
    "broken_downloads",
    "slow_downloads",
)
KINDS = ("gemini", "openai_batch", "vllm", "chat")


def main() -> None:
    """Print a line for each run, and write the numbers where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="with tabs, as How2Sign's")
    parser.add_argument("--column", default="SENTENCE")
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.02, 0.05], help="of faults")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with options.table.open(encoding="utf-8", newline="") as file:
        sentences = [row[options.column] for row in csv.DictReader(file, delimiter="\t")]
    os.environ[KEY_NAME] = API_KEY
    runs = []
    with Cluster() as cluster:
        cluster.start()
        for rate, distinct, kind in product(options.rates, (False, True), KINDS):
            run = labeled(kind, sentences, options.rows, rate, distinct=distinct)
            print(json.dumps(run), flush=True)
            runs.append(run)
    if options.json:
        found = {"machine": machine(), "table": options.table.name, "runs": runs}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def labeled(
    kind: str, sentences: list[str], rows: int, rate: float, *, distinct: bool
) -> dict[str, object]:
    """Run a labeling, and return what it came to."""
    texts = list(islice(cycle(sentences), rows))
    if distinct:
        texts = [f"{text} Take {number}." for number, text in enumerate(texts)]
    # Of jobs there are few, so that of their faults more are needed to see each; there are five
    # that end a job, of which half should go well.
    often = dict.fromkeys(JOB_FAULTS, min(5 * rate, 0.1))
    faults = replace(Faults.everywhere(rate, seed=1), **often)
    with (
        tempfile.TemporaryDirectory() as name,
        patch.object(tempfile, "tempdir", name),  # where kind vllm leaves its files
        teacher(kind, faults) as server,
    ):
        os.environ["FAKE_VLLM_URL"] = server.url
        folder = Path(name)
        table = pa.table({"id": [f"s{number}" for number in range(rows)], "text": texts})
        pq.write_table(table, folder / "rows.parquet")
        job = config(
            kind,
            server.base,
            source={"paths": str(folder / "rows.parquet")},
            sink={"path": str(folder / "out")},
            run__job_requests=100,
            run__shard_rows=1_000,
            run__concurrency=32,
            run__min_usable_share=0.0,
            run__give_up_lost_jobs=True,  # creates that were lost twice are tried on
        )
        done, starts = labeled_at_last(job)
        return {
            "teacher": kind,
            "rows": rows,
            "texts": done.note["texts"],
            "fault_rate": rate,
            "starts": starts,
            "glossed_rows": done.summary.translated,
            "rejected_rows": done.summary.rejected,
            "wrong_glosses": wrong_glosses(folder / "out"),
            "verify_faults": len(verify(Storage(str(folder / "out"))).faults),
            "jobs": len(server.jobs),
            "faults_of_jobs_and_http": dict(server.happened),
            "answers_spoiled": dict(spoiled(server)),
            **payments(server, found_repeated(folder / "out")),
        }


def spoiled(server: TeacherServer) -> Counter[str]:
    """Return how many answers were spoiled, by fault."""
    return Counter({fault: sum(texts.values()) for fault, texts in server.faulty_as.items()})


def payments(server: TeacherServer, repeated: Counter[str]) -> dict[str, object]:
    """Return what was paid, and what need not have been.

    A text needs one answer, and another for each spoiled one but a refusal, which is final. Two
    lines that say the same are a good answer, though the ledger has them among the spoiled.

    Args:
        server: The service, with its ledger.
        repeated: Answers of each text that were rejected for lines that differ.
    """
    in_vain = 0
    for text, paid in server.paid.items():
        harmless = server.faulty_as["repeated_lines"][text] - repeated[text]
        refused = server.faulty_as["refusals"][text]
        spoiled = server.faulty[text] - harmless - refused
        in_vain += max(0, paid - 1 - spoiled)
    paid = sum(server.paid.values())
    percent = 100 * in_vain / (paid - in_vain)
    return {"paid": paid, "necessary": paid - in_vain, "percent_in_vain": round(percent, 3)}


def found_repeated(out: Path) -> Counter[str]:
    """Return how often each text's answer was rejected for lines that differ, by source hash."""
    return Counter(
        row["source_hash"] for row in answers_of(out) if row["failure"] == "repeated_answer"
    )


def wrong_glosses(out: Path) -> int:
    """Return how many rows have a gloss that is not the one of their text."""
    tables = [pq.read_table(file) for file in (out / "data").glob("*.parquet")]
    columns = ("source_text", "translation")
    pairs = [
        pair
        for table in tables
        for pair in zip(*(table[n].to_pylist() for n in columns), strict=True)
    ]
    return sum(true_gloss(text) != gloss for text, gloss in pairs)


if __name__ == "__main__":
    main()
