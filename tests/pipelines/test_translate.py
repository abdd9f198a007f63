"""The main job on a local Ray cluster, with the demo model unless a test says otherwise."""

import json
import os
import shutil
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray

from aslbatch.cli import main
from aslbatch.config.translate import TranslateConfig
from aslbatch.errors import (
    ModelError,
    OutputMismatchError,
    SinkError,
    SourceError,
    TooManyFailedRowsError,
)
from aslbatch.pipelines.estimate import estimate
from aslbatch.pipelines.retry import retry
from aslbatch.pipelines.status import status
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.pipelines.watcher import Watcher
from aslbatch.schema import translation_fields
from aslbatch.shards.storage import Storage

LINES = [
    "The boy bought a red car yesterday.",
    "Where do you live?",
    "",
    "<i></i>",
    "I don't like coffee.",
    "Where do you live?",
    "My name is Anna.",
    "♪ ♪",
]


@pytest.fixture(scope="module")
def finished(cluster, tmp_path_factory):
    """A folder with three sources of 40, 24 and 8 rows, and the output of their translation."""
    folder = tmp_path_factory.mktemp("finished")
    rows = [{"id": n, "text": LINES[n % 8], "meta": {"film": n % 3}} for n in range(40)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet", row_group_size=7)
    lines = [json.dumps({"id": 100 + n, "text": LINES[n % 8]}) for n in range(24)]
    (folder / "b.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "c.txt").write_text("\n".join(LINES))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        translate(config())
    return folder


@pytest.fixture
def done(finished, tmp_path, monkeypatch):
    """A copy of sources and output to do harm to, as the working directory."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def corpus(done):
    """The sources alone."""
    shutil.rmtree(done / "out")
    return done


def config(**sections):
    values = {
        "source": {"paths": ["a.parquet", "b.jsonl", "c.txt"]},
        "model": {"name": "demo"},
        "sink": {"path": "out"},
        "run": {"shard_rows": 16, "workers": 1},
    }
    for name, section in sections.items():
        values[name] = values.get(name, {}) | section
    return TranslateConfig.model_validate(values)


def read(folder, kind="data"):
    return pq.read_table(Path(folder) / kind).to_pylist()


def hashes(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder, "data").iterdir())}


@pytest.mark.usefixtures("done")
class TestFinishedRun:
    def test_every_row_is_in_data_or_rejected_once(self):
        places = Counter(
            (row["source_uri"], row["source_row"]) for row in read("out") + read("out", "rejected")
        )
        expected = [("a.parquet", 40), ("b.jsonl", 24), ("c.txt", 8)]
        assert places == {(uri, row): 1 for uri, rows in expected for row in range(rows)}
        assert verify(Storage("out")).faults == ()

    def test_status_adds_up_what_is_committed(self):
        state = status(Storage("out"))
        assert state.finished
        assert (state.planned_rows, state.done.rows, state.done.translated) == (72, 72, 45)
        assert state.done.rejected == {"empty": 9, "markup_only": 9, "no_words": 9}
        assert state.done.failed == 0

    def test_the_columns_are_those_of_the_contract(self):
        schema = pq.read_schema(next(Path("out/data").iterdir()))
        names = [field.name for field in translation_fields(alternatives=False)]
        assert schema.names == ["id", "text", "meta", *names]
        row = next(row for row in read("out") if row["source_uri"] == "a.parquet")
        assert row["meta"] == {"film": 0}
        assert row["source_text"] == LINES[0]
        assert row["translation"].isupper()
        assert -20 < row["score"] < 0
        assert (row["source_lang"], row["target_lang"]) == ("en", "ase")
        assert row["model"] == "demo"
        assert row["origin"] == "machine"
        assert row["engine"].startswith("transformers:")
        assert row["decoding"].startswith("beam:4|len:128|lp:1.0|v:")

    def test_the_output_is_read_by_the_usual_libraries(self):
        import datasets
        import duckdb
        import pandas as pd

        by_card = datasets.load_dataset("out", split="train", cache_dir="cache")
        by_files = datasets.load_dataset(
            "parquet", data_files="out/data/*.parquet", split="train", cache_dir="cache"
        )
        by_duckdb = duckdb.sql(
            "select count(distinct (source_uri, source_row)) from 'out/data/*.parquet'"
        )
        assert by_card.num_rows == by_files.num_rows == 45
        assert by_duckdb.fetchall() == [(45,)]
        assert len(pd.read_parquet("out/data")) == 45
        assert ray.data.read_parquet(str(Path("out/data").absolute())).count() == 45

    def test_the_card_says_what_the_rows_are(self):
        card = Path("out/README.md").read_text()
        assert "machine-made gloss, not reviewed by signers" in card
        assert "| rows translated | 45 |" in card

    def test_a_second_start_does_nothing(self):
        before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
        assert translate(config()).translated == 45
        assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")} == before

    def test_another_number_of_workers_gives_the_same_bytes(self):
        translate(config(sink={"path": "other"}, run={"workers": 2}))
        assert hashes("out") == hashes("other")
        assert len(hashes("out")) == 6

    def test_a_missing_shard_is_made_again_with_the_same_bytes(self):
        before = hashes("out")
        name = next(iter(before))
        for path in (Path("out/data", name), Path("out/_commits", f"{Path(name).stem}.json")):
            path.unlink()
        # The stored plan counts, whatever size of shards is asked for now.
        translate(config(run={"shard_rows": 5}))
        assert hashes("out") == before
        assert verify(Storage("out")).faults == ()


@pytest.mark.usefixtures("corpus")
class TestOtherRuns:
    def test_only_the_first_rows_are_read(self):
        assert translate(config(), limit=45).rows == 45
        places = {row["source_uri"] for row in read("out")}
        assert places == {"a.parquet", "b.jsonl"}

    def test_gloss_becomes_english(self):
        Path("gloss.txt").write_text("IX-1 LIKE COFFEE NOT\n")
        languages = {"source": "ase", "target": "en"}
        translate(config(source={"paths": "gloss.txt"}, languages=languages))
        (row,) = read("out")
        assert (row["source_lang"], row["target_lang"]) == ("ase", "en")
        assert "coffee" in row["translation"].lower()

    def test_further_hypotheses_are_kept(self):
        translate(config(decoding={"num_return_sequences": 2}))
        for row in read("out"):
            (alternative,) = row["alternatives"]
            assert alternative["score"] <= row["score"]
            assert alternative["text"] != row["translation"]

    def test_the_estimate_writes_nothing(self):
        found = estimate(config())
        assert found.plan.rows == 72
        assert found.tokens > 72
        assert found.hours > 0
        assert not Path("out").exists()


@pytest.mark.usefixtures("done")
class TestRefusals:
    def test_another_runs_output_is_refused_with_what_differs(self):
        Path("out/notes.txt").write_text("mine")
        other = config(decoding={"num_beams": 2})
        with pytest.raises(OutputMismatchError, match=r"config\.decoding\.num_beams: 4 -> 2"):
            translate(other)
        assert translate(other, overwrite=True).rows == 72
        assert {row["decoding"].split("|")[0] for row in read("out")} == {"beam:2"}
        assert Path("out/notes.txt").read_text() == "mine"

    def test_overwrite_does_not_do_ones_own_work_again(self):
        before = {path: path.stat().st_mtime_ns for path in Path("out/data").iterdir()}
        translate(config(), overwrite=True)
        assert {path: path.stat().st_mtime_ns for path in Path("out/data").iterdir()} == before

    def test_a_changed_source_is_another_run(self):
        Path("c.txt").write_text("Something else.")
        with pytest.raises(OutputMismatchError, match=r"sources\[c\.txt\]\.size"):
            translate(config())

    def test_a_source_that_changes_before_its_shard_is_read_stops_the_run(self):
        class Meddler(Watcher):
            def planned(self, plan, todo, pool):
                Path("c.txt").write_text("Something else.")

        with pytest.raises(SourceError, match=r"c\.txt changed since the plan was made"):
            translate(config(sink={"path": "other"}), watcher=Meddler())
        assert not Path("other/_SUCCESS").exists()

    def test_a_column_named_like_ours_is_refused_before_any_work(self):
        pq.write_table(pa.table({"text": ["hi"], "score": [1.0]}), "clash.parquet")
        with pytest.raises(SourceError, match="score"):
            translate(config(source={"paths": "clash.parquet"}, sink={"path": "other"}))

    def test_a_fault_before_work_leaves_no_trace_and_the_old_output(self):
        wrong = {"source": {"paths": "b.jsonl", "text_column": "sentence"}}
        with pytest.raises(SourceError, match="sentence"):
            translate(config(**wrong, sink={"path": "other"}))
        assert not Path("other").exists()
        with pytest.raises(SourceError, match="sentence"):
            translate(config(**wrong), overwrite=True)
        assert verify(Storage("out")).faults == ()

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_folder_with_files_of_others_is_left_alone(self, overwrite):
        Path("mine/data").mkdir(parents=True)
        Path("mine/data/precious.csv").write_text("1,2")
        with pytest.raises(SinkError, match=r"holds data, but no _plan/run\.json"):
            translate(config(sink={"path": "mine"}), overwrite=overwrite)
        assert Path("mine/data/precious.csv").read_text() == "1,2"

    @pytest.mark.parametrize("name", ["run.json", "plan.parquet"])
    def test_a_damaged_record_is_named_and_overwritten_on_purpose(self, name):
        Path("out/_plan", name).write_bytes(b"{")
        with pytest.raises(SinkError, match=r"overwrite|restore or delete"):
            translate(config())
        assert translate(config(), overwrite=True).translated == 45
        assert verify(Storage("out")).faults == ()

    def test_sources_in_the_output_folder_are_refused(self):
        with pytest.raises(SourceError, match="lies in the output folder"):
            translate(config(source={"paths": "out/data"}))

    def test_a_missing_source_and_a_missing_model_are_named(self):
        with pytest.raises(SourceError, match=r"nowhere\.txt"):
            translate(config(source={"paths": "nowhere.txt"}))
        with pytest.raises(ModelError, match="no-model"):
            translate(config(model={"name": "no-model"}, sink={"path": "other"}))
        assert not Path("other").exists()

    def test_a_language_that_the_model_lacks_is_refused(self):
        with pytest.raises(ModelError, match="no language code 'tlh'"):
            translate(config(languages={"target": "tlh"}))


@pytest.mark.usefixtures("corpus")
class TestFailedRows:
    @pytest.fixture
    def broken(self):
        lines = [json.dumps({"id": n, "text": LINES[n % 2]}) for n in range(20)]
        lines[7] = '{"id": 7, "text": '
        lines[9] = json.dumps({"id": 9, "text": "long " * 4_000})
        Path("broken.jsonl").write_text("\n".join(lines))
        return config(source={"paths": "broken.jsonl"})

    def test_more_than_allowed_end_the_run_with_everything_accounted_for(self, broken):
        with pytest.raises(TooManyFailedRowsError, match="2 of 20 rows failed"):
            translate(broken)
        assert not Path("out/_SUCCESS").exists()
        rejected = {row["source_row"]: row for row in read("out", "rejected")}
        assert rejected.keys() == {7, 9}
        assert rejected[7]["reject_reason"] == "invalid_row"
        assert rejected[9]["reject_reason"] == "too_long"
        assert rejected[9]["id"] == 9
        assert "normalize.max_characters" in rejected[9]["reject_detail"]
        # Allowing more finishes the same run.
        run = {**broken.run.model_dump(), "max_failed_rows": 0.2}
        summary = translate(config(source={"paths": "broken.jsonl"}, run=run))
        assert (summary.translated, summary.failed) == (18, 2)
        assert verify(Storage("out")).faults == ()

    def test_retry_replaces_exactly_the_shards_with_failed_rows(self, broken):
        run = {"max_failed_rows": 0.2, "shard_rows": 5}
        translate(config(source={"paths": "broken.jsonl"}, run=run))
        before = hashes("out")
        summary = retry(Storage("out"), "out")
        assert summary.failed == 2  # these rows are wrong themselves, and fail again
        after = hashes("out")
        assert list(after.values()) == list(before.values())
        assert [".g1." in name for name in after] == [False, True, False, False]
        generations = {
            path.stem.split("-")[1]: json.loads(path.read_text())["generation"]
            for path in Path("out/_commits").iterdir()
        }
        assert generations == {"000000": 0, "000001": 1, "000002": 0, "000003": 0}
        assert verify(Storage("out")).faults == ()


class TestVerify:
    @pytest.fixture
    def out(self, done):
        return Path("out")

    def faults(self):
        return "\n".join(verify(Storage("out")).faults)

    def test_a_flipped_byte_is_found_and_its_file_named(self, out):
        victim = sorted(out.joinpath("data").iterdir())[2]
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(bytes(data))
        assert f"out/data/{victim.name}" in self.faults()

    def test_a_deleted_file_is_found_and_named(self, out):
        victim = sorted(out.joinpath("rejected").iterdir())[0]
        victim.unlink()
        assert f"out/rejected/{victim.name}: missing" in self.faults()

    def test_a_shard_without_record_is_found(self, out):
        victim = sorted(out.joinpath("_commits").iterdir())[0]
        victim.unlink()
        assert f"out/_commits/{victim.name}: missing" in self.faults()

    def test_a_file_that_nobody_planned_is_found(self, out):
        out.joinpath("data/part-999999-aaaaaaaa.parquet").write_bytes(b"")
        assert "part-999999-aaaaaaaa.parquet: belongs to no committed shard" in self.faults()

    def test_rows_of_another_place_are_found_even_with_a_right_checksum(self, out):
        files = sorted(out.joinpath("data").iterdir())
        records = sorted(out.joinpath("_commits").iterdir())
        files[1].replace(files[0])
        first, second = (json.loads(path.read_text()) for path in records[:2])
        moved = second["data"] | {"name": first["data"]["name"]}
        records[0].write_text(json.dumps(first | {"data": moved}))
        assert "each once" in self.faults()

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"run_id": "0" * 16}, "belongs to run 0000000000000000"),
            ({"rows": 77}, "of 77 rows, planned were 16"),
            ({"reasons": {"empty": 6}}, "reasons {'empty': 6}, rejected were"),
            ({"reasons": {"empty": 1}}, "reasons for 1 rows, rejected are 6"),
        ],
    )
    def test_a_record_that_does_not_tell_the_truth_is_found(self, out, change, fault):
        record = sorted(out.joinpath("_commits").iterdir())[0]
        record.write_text(json.dumps(json.loads(record.read_text()) | change))
        assert fault in self.faults()

    @pytest.mark.parametrize("name", ["_manifest.json", "_plan/plan.parquet"])
    def test_a_changed_manifest_or_plan_is_found(self, out, name):
        if name == "_manifest.json":
            text = out.joinpath(name).read_text()
            out.joinpath(name).write_text(text.replace("translated", "Translated", 1))
        else:
            table = pq.read_table(out / name)
            sizes = pa.array([1] * table.num_rows)
            table = table.set_column(table.column_names.index("text_bytes"), "text_bytes", sizes)
            pq.write_table(table, out / name)
        assert "out/_manifest.json: " in self.faults()
        translate(config())
        assert self.faults() == ""

    def test_a_run_that_did_not_finish_is_not_well(self, out):
        out.joinpath("_SUCCESS").unlink()
        assert "_SUCCESS: missing" in self.faults()


@pytest.mark.usefixtures("done")
class TestRetryClaims:
    def test_a_second_retry_is_refused_while_one_is_at_work(self):
        claim = {"host": socket.gethostname(), "pid": os.getpid()}
        Path("out/_plan/retry.json").write_text(json.dumps(claim))
        with pytest.raises(SinkError, match="a retry is at work there already"):
            retry(Storage("out"), "out")

    def test_the_claim_of_a_dead_retry_is_taken_over(self):
        dead = subprocess.Popen(["true"])
        dead.wait()
        claim = {"host": socket.gethostname(), "pid": dead.pid}
        Path("out/_plan/retry.json").write_text(json.dumps(claim))
        retry(Storage("out"), "out")
        assert not Path("out/_plan/retry.json").exists()

    def test_files_that_a_killed_retry_did_not_come_to_use_are_removed(self):
        name = sorted(Path("out/data").iterdir())[0]
        orphan = name.with_name(f"{name.stem}.g1.parquet")
        shutil.copy(name, orphan)
        assert "belongs to no committed shard" in verify(Storage("out")).faults[0]
        claim = {"host": socket.gethostname(), "pid": os.getpid()}
        Path("out/_plan/retry.json").write_text(json.dumps(claim))
        translate(config())
        assert orphan.exists()  # a living retry may be about to commit it
        dead = subprocess.Popen(["true"])
        dead.wait()
        Path("out/_plan/retry.json").write_text(json.dumps(claim | {"pid": dead.pid}))
        translate(config())
        assert not orphan.exists()
        assert verify(Storage("out")).faults == ()


@pytest.mark.usefixtures("done")
class TestCommandLine:
    """Exit codes as a shell sees them; `test_cli.py` has those that need no output."""

    def run(self, *arguments):
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        return stopped.value.code

    @pytest.fixture(autouse=True)
    def configuration(self, done):
        values = config().model_dump(mode="json")
        Path("job.json").write_text(json.dumps(values))  # JSON is YAML

    def test_a_finished_output_verifies_and_a_harmed_one_does_not(self, capsys):
        assert self.run("verify", "out") == 0
        victim = sorted(Path("out/data").iterdir())[0]
        victim.unlink()
        assert self.run("verify", "out") == 1
        assert f"out/data/{victim.name}: missing" in capsys.readouterr().out

    def test_another_runs_output_exits_with_4(self, capsys):
        assert self.run("translate", "job.json", "--set", "decoding.num_beams=2") == 4
        assert "config.decoding.num_beams: 4 -> 2" in capsys.readouterr().err

    def test_too_many_failed_rows_exit_with_3(self):
        Path("broken.jsonl").write_text('{"text": "Hello."}\n{"text": ')
        overrides = ["source.paths=broken.jsonl", "sink.path=other"]
        words = [word for item in overrides for word in ("--set", item)]
        assert self.run("translate", "job.json", *words) == 3
        assert self.run("retry", "other") == 3

    def test_a_dry_run_prints_the_plan_and_writes_nothing(self, capsys):
        assert self.run("translate", "job.json", "--dry-run", "--set", "sink.path=other") == 0
        shown = capsys.readouterr().out
        assert "72" in shown
        assert "GPU hours" in shown
        assert not Path("other").exists()

    def test_a_done_run_shows_pairs_again(self, capsys):
        assert self.run("translate", "job.json") == 0
        assert "Where do you live?" in capsys.readouterr().out
