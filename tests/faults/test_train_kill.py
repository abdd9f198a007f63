"""Trainings that are killed: what comes out is what an undisturbed one gives."""

import json
import random
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from killing import Driver
from training_examples import demo_pairs

pytestmark = pytest.mark.faults

STEPS = 24


def start(folder: Path, name: str, *, address: str | None = None) -> Driver:
    config = folder / f"{name}.yaml"
    values = {
        "data": [{"paths": str(folder / "train.parquet")}],
        "validation": {
            "paths": str(folder / "validation.parquet"),
            "rows": 16,
            "every_steps": 6,
            "patience": None,
        },
        "start": {"name": "demo"},
        "method": {"kind": "lora", "rank": 4, "alpha": 8, "dropout": 0.2},
        "training": {"epochs": None, "steps": STEPS, "batch_examples": 24},
        "sink": {"path": str(folder / name)},
        "run": {"workers": 1, "cpus_per_worker": 1, "checkpoint_every_steps": 3},
    }
    config.write_text(json.dumps(values))
    return Driver(
        ["train", str(config)], log=folder / f"{name}.{random.random()}.log", address=address
    )


def steps(out: Path) -> int:
    """Return the steps of the newest state."""
    found = (out / "states").glob("step-*.json")
    return max((int(path.stem.removeprefix("step-")) for path in found), default=0)


def trainers(driver: Driver) -> list[psutil.Process]:
    """Return the processes that train."""
    return [p for p in driver.alive() if "RayTrainWorker" in " ".join(p.cmdline())]


def test_killed_training_goes_on_as_if_nothing_had_happened(tmp_path: Path, address: str) -> None:
    dice = random.Random()
    for name, pairs in {"train": demo_pairs(400), "validation": demo_pairs(16, seed=77)}.items():
        table = pa.table(dict(zip(("source", "target"), pairs, strict=True)))
        pq.write_table(table, tmp_path / f"{name}.parquet")
    out, goals = tmp_path / "killed", (dice.randint(3, 9), dice.randint(12, 18))

    with start(tmp_path, "killed") as driver:  # the driver, and all of its cluster
        driver.wait_for(lambda: steps(out) >= goals[0], f"step {goals[0]}")
        driver.kill()
    with start(tmp_path, "killed") as driver:  # the worker alone, which Ray Train starts again
        driver.wait_for(lambda: steps(out) >= goals[1] and bool(trainers(driver)), "a worker")
        assert steps(out) < STEPS, f"too late, after {goals}"
        for process in trainers(driver):
            process.kill()
        assert driver.wait() == 0, driver.output
    with start(tmp_path, "undisturbed", address=address) as driver:
        assert driver.wait() == 0, driver.output

    killed, undisturbed = (
        json.loads((tmp_path / name / "training.json").read_text())
        for name in ("killed", "undisturbed")
    )
    assert len(killed["losses"]) == STEPS
    assert killed["losses"] == pytest.approx(undisturbed["losses"], abs=1e-5), goals
    # No measurement is lost or made twice, and the same one is the best.
    assert [each["step"] for each in killed["measured"]["all"]] == [6, 12, 18, 24]
    assert killed["measured"] == undisturbed["measured"], goals
    adapters = [
        (tmp_path / name / "adapter/adapter_model.safetensors").read_bytes()
        for name in ("killed", "undisturbed")
    ]
    assert adapters[0] == adapters[1], goals
