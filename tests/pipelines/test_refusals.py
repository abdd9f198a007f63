"""What stops a job before it starts, and leaves everything as it was."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample import config, read

from aslbatch.errors import (
    ModelError,
    OutputMismatchError,
    SinkError,
    SourceError,
)
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.pipelines.watcher import Watcher
from aslbatch.storage.folder import Storage


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
