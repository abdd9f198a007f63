"""Rows that kill their worker are found and rejected; all others are translated."""

import pyarrow as pa
import pytest
from planning import shard_of_lines

from aslbatch.schema import DETAIL, REASON, TEXT
from aslbatch.shards.attempts import Attempts
from aslbatch.storage.folder import Storage


class WorkerDiedError(BaseException):
    """Stands for the death of the process, which no handler survives."""


def table(rows):
    return pa.table(
        {
            TEXT: pa.array([f"text {n}" for n in range(rows)]),
            REASON: pa.nulls(rows, pa.string()),
            DETAIL: pa.nulls(rows, pa.string()),
        }
    )


def run_until_done(attempts, rows, poison, most=200):
    """Do what Ray does: start the worker again each time that it dies; return the deaths too."""

    def stage(part, on_rows):
        texts = part[TEXT].to_pylist()
        if any(text in poison for text in texts):
            raise WorkerDiedError
        return part.append_column("translation", pa.array(texts, pa.string()))

    for deaths in range(most):
        try:
            return attempts.run(shard_of_lines(rows), table(rows), stage, lambda _: None), deaths
        except WorkerDiedError:
            continue
    raise AssertionError("endless loop")


@pytest.fixture
def attempts(tmp_path):
    return Attempts(Storage(str(tmp_path)), driver_id="d", max_attempts=3, timeout_s=None)


def test_a_worker_that_dies_of_something_else_costs_nothing(attempts):
    done, deaths = run_until_done(attempts, 50, poison=())
    assert deaths == 0
    assert done["translation"].to_pylist() == [f"text {n}" for n in range(50)]


@pytest.mark.parametrize("row", [0, 1, 499, 998, 999])
def test_the_row_that_kills_is_rejected_alone(attempts, row):
    done, deaths = run_until_done(attempts, 1_000, poison={f"text {row}"})
    reasons = done[REASON].to_pylist()
    assert [n for n, reason in enumerate(reasons) if reason] == [row]
    assert reasons[row] == "worker_died"
    assert "in each of" in done[DETAIL][row].as_py()
    assert done["translation"].to_pylist() == [
        None if n == row else f"text {n}" for n in range(1_000)
    ]
    assert deaths <= 3 + 3  # the plain attempts, then one for each cut by 16


def test_several_rows_that_kill_are_each_found(attempts):
    done, _ = run_until_done(attempts, 300, poison={"text 3", "text 4", "text 250"})
    reasons = done[REASON].to_pylist()
    assert [n for n, reason in enumerate(reasons) if reason] == [3, 4, 250]


def test_a_shard_that_only_kills_is_given_up_as_a_whole(attempts):
    everything = {f"text {n}" for n in range(400)}
    done, deaths = run_until_done(attempts, 400, poison=everything)
    assert set(done[REASON].to_pylist()) == {"worker_died"}
    assert deaths < 50


def test_another_driver_counts_anew(tmp_path):
    storage = Storage(str(tmp_path))
    first = Attempts(storage, driver_id="first", max_attempts=1, timeout_s=None)
    run_until_done(first, 4, poison={"text 1"})
    second = Attempts(storage, driver_id="second", max_attempts=1, timeout_s=None)
    done, _ = run_until_done(second, 4, poison=())
    assert done[REASON].to_pylist() == [None] * 4
