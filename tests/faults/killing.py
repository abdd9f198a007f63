"""Jobs that run as processes of their own, so that they can be killed, and the account after it.

Used by the tests of this folder and by the scripts under `bench/`.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage

PLUGIN = Path(__file__).parent / "plugin"
COMMAND = (sys.executable, "-c", "from aslbatch.cli import run; run()")
PATIENCE_S = 300
"""Far more than anything here takes: the machine may be busy with something else."""


@dataclass(frozen=True)
class Corpus:
    """Parquet files with a column `id`, unique, and a column `text`: repeats, blanks and nulls."""

    folder: Path
    rows: int
    files: int

    @classmethod
    def write(
        cls, folder: Path, *, rows: int, files: int, texts: dict[int, str] | None = None
    ) -> "Corpus":
        """Write the files; `texts` puts texts of its own at some rows."""
        folder.mkdir(parents=True)
        ids = _ids(rows)
        for file, part in enumerate(np.array_split(np.arange(rows), files)):
            lines = [(texts or {}).get(row, _text(row)) for row in part.tolist()]
            table = pa.table({"id": ids[part], "text": pa.array(lines, pa.string())})
            pq.write_table(table, folder / f"{file:03d}.parquet")
        return cls(folder, rows, files)

    def ids(self) -> np.ndarray:
        """Return all ids, sorted."""
        return _sorted_ids(self.folder)

    def id_of(self, row: int) -> int:
        """Return the id of a row."""
        return int(_ids(self.rows)[row])


def _ids(rows: int) -> np.ndarray:
    return np.random.default_rng(7).permutation(rows).astype(np.int64) + 10**9


def _text(row: int) -> str | None:
    if row % 211 == 0:
        return None
    return "  " if row % 97 == 0 else f"Scene {row // 500 % 90}, take {row % 7}."


@dataclass(frozen=True)
class Job:
    """A configuration and its output folder; a small model makes it quick.

    Attributes:
        config: The YAML file.
        sink: The output folder.
    """

    config: Path
    sink: Path

    @classmethod
    def write(cls, folder: Path, corpus: Corpus, model: Path, sink: Path, **run: object) -> "Job":
        """Write the configuration; `run` is its section of that name."""
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / f"{sink.name}.yaml"
        values = {
            "source": {"paths": str(corpus.folder)},
            "model": {"name": str(model)},
            "decoding": {"num_beams": 1, "max_length": 8},
            "batching": {"max_tokens": 16_384},
            "sink": {"path": str(sink)},
            "run": run,
        }
        config.write_text(json.dumps(values), encoding="utf-8")
        return cls(config, sink)

    def start(self, *settings: str, address: str | None = None, **faults: str) -> "Driver":
        """Start a driver; `faults` are the variables of `plugin/sitecustomize.py`."""
        words = ["translate", str(self.config)]
        for setting in settings:
            words += ["--set", setting]
        return self._start(words, address, faults)

    def run(self, *settings: str, address: str | None = None, **faults: str) -> "Driver":
        """Run a driver to its end."""
        with self.start(*settings, address=address, **faults) as driver:
            driver.wait()
        return driver

    def start_retry(self, *, address: str | None = None, **faults: str) -> "Driver":
        """Start `aslbatch retry` on the output."""
        return self._start(["retry", str(self.sink)], address, faults)

    def _start(self, words: list[str], address: str | None, faults: dict[str, str]) -> "Driver":
        log = self.config.with_suffix(f".{time.time_ns()}.log")
        return Driver(words, log=log, faults=faults, address=address)

    def faults(self) -> tuple[str, ...]:
        """Return what `verify` finds wrong with the output."""
        return verify(Storage(str(self.sink))).faults

    def verify(self) -> "Driver":
        """Run `aslbatch verify` on the output."""
        with Driver(["verify", str(self.sink)], log=self.config.with_suffix(".verify")) as driver:
            driver.wait()
        return driver

    def commits(self) -> int:
        """Return how many shards are committed."""
        return len(list((self.sink / "_commits").glob("part-*.json")))

    def shards(self) -> int:
        """Return how many shards are planned."""
        plan = pq.read_table(self.sink / "_plan/plan.parquet", columns=["shard"])
        return len(plan["shard"].unique())


def outside() -> dict[str, str]:
    """Return the environment, without a cluster that somebody may have named in it."""
    return {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}


class Session:
    """A process in a session of its own, with all that it starts."""

    def __init__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=log.parent,
                env=environment or outside(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Whatever runs the tests in the background may have them ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def output(self) -> str:
        """All that the process printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def exit_code(self) -> int:
        """How the process ended."""
        return self.process.wait(PATIENCE_S)

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return self.exit_code

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds while the process runs."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if self.process.poll() is not None:
                raise AssertionError(f"ended before {what}:\n{self.output}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{PATIENCE_S} s went by before {what}:\n{self.output}")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill -9 the process, then whatever else is in its session, until nothing is left."""
        if self.process.poll() is None:
            self.process.kill()
        while alive := self.alive():
            for process in alive:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.01)
        self.process.wait()

    def wait_for_all(self) -> None:
        """Wait for the end of all processes of the session; Ray's outlive the driver a little."""
        deadline = time.monotonic() + PATIENCE_S
        while alive := self.alive():
            if time.monotonic() > deadline:
                raise AssertionError(f"still there after {PATIENCE_S} s: {alive}")
            time.sleep(0.1)

    def interrupt(self) -> None:
        """Do what Ctrl-C in a terminal does: SIGINT to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def alive(self) -> list[psutil.Process]:
        """Return the living processes of the session."""
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.process.pid and process.status() != "zombie":
                    found.append(process)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue
        return found


class Driver(Session):
    """A process of the command line, with all of its Ray processes.

    With an `address` it joins a cluster that is there, and does not bring one up and down: half of
    what a short job takes. `faults` then befall the driver alone.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        log: Path,
        faults: dict[str, str] | None = None,
        address: str | None = None,
    ) -> None:
        environment = outside()
        if address:  # local clusters of Ray want the token that they have written
            environment |= {"RAY_ADDRESS": address, "RAY_AUTH_MODE": "token"}
        paths = [str(PLUGIN), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment |= {"CI": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(paths)}
        environment["PYTHONFAULTHANDLER"] = "1"
        environment |= {f"ASLBATCH_FAULT_{name}": value for name, value in (faults or {}).items()}
        super().__init__([*COMMAND, *words], log=log, environment=environment)

    def workers(self) -> list[psutil.Process]:
        """Return the processes that hold a model."""
        found = []
        for process in self.alive():
            try:
                if "MapWorker" in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found


@dataclass(frozen=True)
class Kill:
    """One kill -9 of a driver and its cluster.

    Attributes:
        moment: `any`, or `window`: a shard's data was written and its record was not.
        committed: Shards committed by then.
        temporary: Temporary files that lay around after it.
    """

    moment: str
    committed: int
    temporary: int


def kill_five_times(job: Job, shards: int, dice: random.Random) -> list[Kill]:
    """Start a job and kill it, at three random moments and twice in the window."""
    kills = []
    for low, high in ((0.1, 0.3), (0.4, 0.6), (0.7, 0.9)):
        goal = max(1, round(dice.uniform(low, high) * shards))
        # Not long after: a small model commits many shards a second.
        kills.append(_kill_at_random(job, goal, dice.uniform(0.0, 0.05)))
        if len(kills) < 5:
            later = max(goal + shards // 10, job.commits() + 1)
            kills.append(_kill_in_window(job, min(later, shards - 2)))
    return kills


def _kill_at_random(job: Job, goal: int, delay_s: float) -> Kill:
    with job.start() as driver:
        driver.wait_for(lambda: job.commits() >= goal, f"{goal} commits")
        time.sleep(delay_s)
        driver.kill()
    return Kill("any", job.commits(), len(temporary_files(job.sink)))


def _kill_in_window(job: Job, goal: int) -> Kill:
    flag = job.config.with_suffix(f".{goal}.held")
    with job.start(HOLD_COMMIT=f"{goal}:{flag}") as driver:
        driver.wait_for(lambda: flag.exists() and bool(flag.read_text()), "a shard was held")
        driver.kill()
    shard = Path(flag.read_text(encoding="utf-8")).stem
    if not (job.sink / f"data/{shard}.parquet").exists():
        raise AssertionError(f"{shard}: killed too early, its data is not there")
    if (job.sink / f"_commits/{shard}.json").exists():
        raise AssertionError(f"{shard}: killed too late, it is committed")
    return Kill("window", job.commits(), len(temporary_files(job.sink)))


def temporary_files(sink: Path) -> list[str]:
    """Return what killed writers left behind."""
    return sorted(str(path.relative_to(sink)) for path in sink.rglob(".*"))


def output_ids(sink: Path) -> np.ndarray:
    """Return the ids of all rows of an output, translated and rejected, sorted."""
    return _sorted_ids(sink / "data", sink / "rejected")


def digests(sink: Path) -> dict[str, str]:
    """Return the SHA-256 of each data, rejected and commit file by its name."""
    return {
        str(path.relative_to(sink)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("data", "rejected", "_commits")
        for path in sorted((sink / folder).glob("*"))
    }


def rejected_rows(sink: Path) -> dict[int, str]:
    """Return the ids of the rejected rows, each with its reason."""
    tables = [pq.read_table(path) for path in sorted((sink / "rejected").glob("*.parquet"))]
    return {
        row["id"]: row["reject_reason"]
        for table in tables
        for row in table.select(["id", "reject_reason"]).to_pylist()
    }


def _sorted_ids(*folders: Path) -> np.ndarray:
    files = [path for folder in folders for path in folder.glob("*.parquet")]
    ids = [pq.read_table(path, columns=["id"])["id"].to_numpy() for path in files]
    return np.sort(np.concatenate(ids))
