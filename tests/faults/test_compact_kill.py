"""A compaction that is killed at every single step: no row is lost, none is there twice."""

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from dying import Work, compaction, dies, job_end
from finished_output import RUN_ID, all_rows, make_output, make_rows, make_shard, output_format
from killing import temporary_files

from aslbatch.pipelines.accounts import load_plan
from aslbatch.pipelines.verify import verify
from aslbatch.shards.commits import commit_shard, read_commit
from aslbatch.shards.published import read_whole, rows_of
from aslbatch.storage.folder import Storage

pytestmark = pytest.mark.faults

SHARDS = (7, 5, 9, 1, 7)
ROWS = sum(SHARDS)


def committed_rows(storage: Storage) -> list[int]:
    """Return the rows that the commit records name, in their order in the plan."""
    output, rows = output_format(), []
    for shard in load_plan(storage).shards:
        record = read_commit(storage, shard.name)
        schemas = output.data_schema, output.rejected_schema
        for file, schema in zip(record.files, schemas, strict=False):
            table = rows_of(file, read_whole(storage, file, schema))
            rows += table["source_row"].to_pylist()
    return rows


def check(folder: Path) -> None:
    """Check that an output is whole, and that nothing else lies there."""
    storage = Storage(str(folder))
    rows = [row for kind in ("data", "rejected") for row in all_rows(storage, kind)]
    assert Counter(row["source_row"] for row in rows) == dict.fromkeys(range(ROWS), 1)
    assert verify(storage).faults == ()
    assert storage.exists("_SUCCESS")
    assert storage.names("_plan") == ["plan.parquet", "run.json"]  # no claim, and no note on one
    assert temporary_files(folder) == []


def late_commit(folder: Path) -> None:
    """Take one shard out of a merged file, as a retry does."""
    storage, shard = Storage(str(folder)), make_shard(1, 5, 7)
    commit_shard(
        shard, make_rows(7, 5), storage=storage, output=output_format(), run_id=RUN_ID,
        replaces=read_commit(storage, shard.name),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "work"),
    [
        (None, compaction(1000)),
        (None, compaction(15)),
        (15, compaction(22)),
        (1000, compaction(8)),
        ("late", job_end),
    ],
    ids=["all into one", "into some", "into fewer", "into more", "mended"],
)
def test_whatever_step_is_the_last_another_start_completes_it(
    tmp_path: Path, first: int | str | None, work: Work
) -> None:
    start = tmp_path / "start"
    storage = make_output(start, SHARDS)
    if first is not None:
        compaction(1000 if first == "late" else int(first))(storage)
    if first == "late":
        late_commit(start)
    dice = random.Random(len(storage.names("data")))
    ways = [work, job_end, compaction(11), compaction(1000)]

    step = 1
    while True:
        folder = tmp_path / f"{step}"
        shutil.copytree(start, folder)
        if not dies(folder, work, step):
            break
        killed = Storage(str(folder))
        assert sorted(committed_rows(killed)) == list(range(ROWS)), f"step {step}"
        # The second start is killed too, now and then before it comes to anything.
        dies(folder, dice.choice(ways), dice.randrange(1, 12))
        assert sorted(committed_rows(killed)) == list(range(ROWS)), f"step {step}, second start"
        ways[step % len(ways)](killed)
        check(folder)
        step += 1
    check(folder)
    assert step > 12  # that is, it was killed at each of many steps
