"""Corpora, configurations and servers for tests and benchmarks of the pseudogloss job."""

import json
import random
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from teacher_faults import Faults
from teacher_gemini_wire import GeminiWire
from teacher_openai_wire import OpenAiWire
from teacher_server import API_KEY, MODEL, TeacherServer

from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.errors import TeacherError
from aslbatch.pipelines.label_journal import Journal, open_journal
from aslbatch.pipelines.label_report import Labeled
from aslbatch.pipelines.pseudogloss import pseudogloss
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.storage.folder import Storage

KEY_NAME = "TEST_TEACHER_KEY"
PRICES = {MODEL: {"input": 1.0, "output": 1.0}}
WIRES = {
    "gemini": GeminiWire, "openai_batch": OpenAiWire, "chat": OpenAiWire, "vllm": OpenAiWire,
}  # fmt: skip
FAKE_VLLM = [
    sys.executable, str(Path(__file__).with_name("fake_vllm.py")), "run-batch",
    "-i", "{input}", "-o", "{output}", "--model", "{model}",
]  # fmt: skip
"""The command of kind vllm; it finds its server by `FAKE_VLLM_URL`."""

_WHO = ("My sister", "The old pilot", "Nobody", "A friend of Zoe", "The team", "Oscar's dog")
_DOES = ("baked", "carried", "found", "sold", "painted", "forgot", "fixed")
_WHAT = ("a chocolate cake", "the red bucket", "two guitars", "an umbrella", "some tickets")
_WHEN = ("yesterday", "in Boston", "on Tuesday", "before lunch", "at the station", "again")


def corpus(folder: Path, rows: int, *, repeats: int = 0) -> list[str]:
    """Write a corpus as two files, `repeats` of its rows again, and return its distinct texts."""
    draw = random.Random(7)
    made: dict[str, None] = {}
    while len(made) < rows - repeats:
        number = draw.randrange(10, 99_999)
        parts = (draw.choice(each) for each in (_WHO, _DOES, _WHAT, _WHEN))
        made[f"{' '.join(parts)} for {number} dollars."] = None
    texts = list(made)
    lines = [*texts, *texts[:repeats]]
    draw.shuffle(lines)
    half = len(lines) // 2
    table = pa.table({"id": [f"s{n}" for n in range(half)], "text": lines[:half]})
    pq.write_table(table, folder / "a.parquet")
    rest = [json.dumps({"id": f"s{half + n}", "text": text}) for n, text in enumerate(lines[half:])]
    (folder / "b.jsonl").write_text("\n".join([*rest, json.dumps({"id": "none", "text": "..."})]))
    return texts


def config(kind: str, url: str | None, **changes: object) -> PseudoglossConfig:
    """Return a job on `a.parquet` and `b.jsonl`; `changes` name keys as `run__poll_s`."""
    values: dict[str, dict[str, object]] = {
        "source": {"paths": ["a.parquet", "b.jsonl"]},
        "teacher": {
            "kind": kind,
            "model": MODEL,
            "base_url": url,
            "api_key_env": None if kind == "vllm" else KEY_NAME,
        },
        "sink": {"path": "out"},
        "run": {
            "poll_s": 0.02,
            "job_requests": 60,
            "shard_rows": 50,
            "max_failed_rows": 1.0,
            "patience_s": 30.0,
            "max_attempts": 6,
        },
    }
    if kind == "vllm":
        values["teacher"] |= {"command": FAKE_VLLM, "base_url": None}
    for name, value in changes.items():
        section, _, key = name.partition("__")
        if key:
            values.setdefault(section, {})[key] = value
        else:
            values[section] = value
    return PseudoglossConfig.model_validate(values)


def labeled_at_last(job: PseudoglossConfig, most: int = 5) -> tuple[Labeled, int]:
    """Run a job, again where jobs in a row failed or were lost, and say how often."""
    for start in range(1, most):
        with suppress(TeacherError):
            return pseudogloss(job), start
    return pseudogloss(job), most


def rows_of(folder: Path) -> list[dict[str, object]]:
    """Return all rows of a folder of Parquet files."""
    return [row for f in sorted(folder.glob("*.parquet")) for row in pq.read_table(f).to_pylist()]


def journal_of(out: str | Path) -> Journal:
    """Return what the teacher of an output was asked and answered."""
    storage = Storage(str(out))
    return open_journal(storage, read_run_record(storage)["run_id"])


def answers_of(out: str | Path) -> list[dict[str, object]]:
    """Return every stored answer of an output."""
    answers = journal_of(out).answers
    return [row for stem in answers.stems() for row in answers.read(stem).to_pylist()]


@contextmanager
def teacher(kind: str, faults: Faults | None = None):
    """Serve a teacher of a kind."""
    wire = WIRES[kind]()
    url_path = "/v1" if kind in ("openai_batch", "chat") else ""
    with TeacherServer(wire, faults=faults).running() as server:
        server.base = server.url + url_path
        yield server


__all__ = [
    "API_KEY", "FAKE_VLLM", "KEY_NAME", "PRICES", "answers_of", "config", "corpus", "journal_of",
    "labeled_at_last", "rows_of", "teacher",
]  # fmt: skip
