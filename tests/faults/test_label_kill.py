"""Labelings that are killed: nothing is paid twice, nothing is lost, and every gloss is right."""

import json
import os
import random
import re
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from killing import PATIENCE_S, Driver, temporary_files
from labeling import API_KEY, KEY_NAME, config, corpus, teacher
from teacher_http import Request, Response
from teacher_openai_wire import RUN_BATCH
from teacher_server import TeacherServer, true_gloss

from aslbatch.pipelines.label_journal import Job, open_journal
from aslbatch.pipelines.run_record import recorded_run_id
from aslbatch.pipelines.verify import verify
from aslbatch.provenance.hashing import source_hash
from aslbatch.storage.folder import Storage

pytestmark = pytest.mark.faults

SEED = int(os.environ.get("ASLBATCH_KILL_SEED", os.getpid()))
ROWS, REPEATS = 150, 30

UNMADE, LATE, UNTOLD = "never reaches the service", "is done later", "is done, and not told"

STEPS = {
    "upload start": r"POST /upload/\S+ start",
    "upload end": r"POST /upload/\S+ .*finalize|POST /v1/files ",
    "create": r"POST \S+:batchGenerateContent |POST /v1/batches ",
    "poll": r"GET /v1(beta)?/batches/\w+ ",
    "download": r"GET /v1(beta)?/files/\S+(:download|/content) ",
    "chat": r"POST /v1/chat/completions ",
    "vllm": rf"POST {RUN_BATCH} ",
}
"""The requests to be killed at, as regular expressions on method, path and command of an upload."""

ASKING = {
    "gemini": [
        ("upload start", UNMADE), ("upload end", UNMADE), ("upload end", UNTOLD),
        ("create", UNMADE), ("create", LATE), ("create", UNTOLD), ("poll", UNTOLD),
        ("download", UNTOLD),
    ],
    "openai_batch": [("create", UNTOLD), ("download", UNTOLD)],
}  # fmt: skip


class Labeling:
    """A job of the tests' corpus, whose drivers are killed at requests that its server sees.

    They join a cluster that lives on; `killed_when` kills a cluster with its driver.
    """

    def __init__(
        self, folder: Path, server: TeacherServer, kind: str, address: str, **changes: object
    ) -> None:
        self.folder, self.server, self.out = folder, server, folder / "out"
        self.address = address
        self.hashes = {source_hash(text) for text in corpus(folder, ROWS, repeats=REPEATS)}
        values = config(kind, server.base, **changes).model_dump(mode="json")
        (folder / "job.json").write_text(json.dumps(values))

    def start(self, *, address: str | None, **faults: str) -> Driver:
        log, words = (
            self.folder / f"{time.time_ns()}.log",
            ["pseudogloss", str(self.folder / "job.json")],
        )
        return Driver(words, log=log, faults=faults, address=address)

    def killed_at(self, step: str, how: str, nth: int = 1) -> list[float]:
        """Start a driver, and kill it when the server sees a request of a step, the nth of them.

        Returns:
            When the server saw each of them, the last one first.
        """
        seen: list[float] = []

        def watch(request: Request, response: Response | None) -> None:
            if (response is not None) is not (how == UNTOLD) or not is_step(step, request):
                return
            with self.server.lock:
                seen.append(time.monotonic())
                is_last = len(seen) == nth
            if is_last:
                driver.kill()
                if how == UNMADE:
                    raise ConnectionResetError

        with self.start(address=self.address) as driver:
            self.server.watch = watch
            code = driver.wait()
        self.server.watch = lambda *_: None
        assert code == -signal.SIGKILL, f"{step} {nth} {how}, seed {SEED}: {driver.output}"
        return sorted(seen, reverse=True)

    def killed_when(self, condition: Callable[[], bool], what: str, **faults: str) -> None:
        with self.start(address=None, **faults) as driver:
            driver.wait_for(condition, what)
            driver.kill()

    def finish(self) -> None:
        """Run to the end, and check that every row is there, and every gloss the right one."""
        with self.start(address=self.address) as driver:
            assert driver.wait() == 0, driver.output
            assert API_KEY not in driver.output
        assert verify(Storage(str(self.out))).faults == ()
        rows, rejected = (
            [
                row
                for f in (self.out / name).glob("*.parquet")
                for row in pq.read_table(f).to_pylist()
            ]
            for name in ("data", "rejected")
        )
        assert sorted(row["id"] for row in rows) == sorted(f"s{n}" for n in range(ROWS))
        assert [row["reject_reason"] for row in rejected] == ["no_words"]
        assert not [row for row in rows if row["translation"] != true_gloss(row["source_text"])]
        assert temporary_files(self.out) == []
        assert set(self.server.paid) == self.hashes, f"seed {SEED}"

    @property
    def jobs(self) -> list[Job]:
        storage = Storage(str(self.out))
        run_id = recorded_run_id(storage)
        return open_journal(storage, run_id).jobs() if run_id else []

    def commits(self) -> int:
        return len(list((self.out / "_commits").glob("part-*.json")))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_step(step: str, request: Request) -> bool:
    command = request.headers.get("x-goog-upload-command", "")
    return re.match(STEPS[step], f"{request.method} {request.path} {command}") is not None


@pytest.fixture(autouse=True)
def _place(monkeypatch):
    """The key, and a folder for temporary files, in which no driver leaves any of its own."""
    with tempfile.TemporaryDirectory() as temporary:  # a short path, for Ray's sockets
        monkeypatch.setenv(KEY_NAME, API_KEY)
        monkeypatch.setenv("TMPDIR", temporary)
        yield
        assert {path.name for path in Path(temporary).iterdir()} <= {"ray"}


@pytest.mark.parametrize("kind", list(ASKING))
def test_batches_killed_at_any_request_or_commit_are_paid_once(kind, tmp_path, address):
    dice = random.Random(SEED)
    moments = dice.sample(ASKING[kind], len(ASKING[kind]))
    with teacher(kind) as server:
        server.page_entries = 50
        job = Labeling(tmp_path, server, kind, address, run__job_requests=5, run__max_jobs=2)
        for step, how in moments:
            job.killed_at(step, how, dice.randint(1, 2))
        assert 0 < len(server.jobs) < len(job.hashes) / 5, f"seed {SEED}"
        if kind == "gemini":
            flag = tmp_path / "held"  # data written, its record not
            job.killed_when(flag.exists, "a commit", HOLD_COMMIT=f"{dice.randint(0, 1)}:{flag}")
            assert job.commits() < 4
            job.killed_when(lambda: job.commits() >= 2, "two commits")
        job.finish()

        assert set(server.paid.values()) == {1}, f"seed {SEED}"
        assert len(server.jobs) == len(job.hashes) / 5
        made = [each for each in job.jobs if each.job]
        names = {each.job.removeprefix("batches/").removeprefix("batch_") for each in made}
        assert names == set(server.jobs)
        # What may be there unknown to us is only what was killed at the moment of its creation.
        unmade = sum(moment == ("create", UNMADE) for moment in ASKING[kind])
        assert sum(len(each.possible_orphans) for each in job.jobs) == unmade
        assert {each.name for each in made} == {each.display_name for each in server.jobs.values()}


def test_chats_killed_twice_pay_again_for_the_last_moments_alone(tmp_path, address):
    dice = random.Random(SEED)
    lost = 0
    with teacher("chat") as server:
        pace = {"run__requests_per_minute": 1_200, "run__concurrency": 4}
        job = Labeling(tmp_path, server, "chat", address, **pace)
        for _ in range(2):
            seen = job.killed_at("chat", UNTOLD, dice.randint(30, 50))
            # Answers are stored every second; a busy machine may take a while to do so.
            lost += sum(seen[0] - each < 1.5 for each in seen) + 4
        job.finish()
        assert sum(server.paid.values()) - len(job.hashes) <= lost
        assert max(server.paid.values()) <= 3


def test_vllm_outlives_its_driver_and_its_answers_are_taken(tmp_path, monkeypatch, address):
    hold = tmp_path / "hold"
    hold.touch()
    monkeypatch.setenv("FAKE_VLLM_HOLD", str(hold))
    with teacher("vllm") as server:
        monkeypatch.setenv("FAKE_VLLM_URL", server.url)
        job = Labeling(tmp_path, server, "vllm", address)
        job.killed_when(lambda: [each.state for each in job.jobs] == ["created"], "a job")
        assert not server.jobs
        hold.unlink()  # the first process asks now, though its driver is gone
        until(lambda: server.jobs)
        job.killed_at("vllm", UNTOLD, 1)
        job.finish()
        assert set(server.paid.values()) == {1}
        assert len(server.jobs) == len(job.jobs) == 2
