"""The main job on a local Ray cluster, with the demo model."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import ray
from sample import LINES, config, hashes, read

from aslbatch.pipelines.estimate import estimate
from aslbatch.pipelines.status import status
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.schema import translation_fields
from aslbatch.storage.folder import Storage


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
        assert row["engine"].startswith("ctranslate2:4.")
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
        assert len(hashes("out")) == 5

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
