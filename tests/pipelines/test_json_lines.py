"""The main job with JSON lines as its output."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from sample import config

from aslbatch.cli.samples import sample_pairs
from aslbatch.errors import SourceError
from aslbatch.pipelines.compact import compact
from aslbatch.pipelines.retry import retry
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage


def lines_of(folder):
    """Return the objects of all files of a folder, read as anybody else would."""
    found = []
    for path in sorted(Path(folder).iterdir()):
        assert path.name.endswith(".jsonl.zst")
        with zstandard.open(io.BytesIO(path.read_bytes()), "rt", encoding="utf-8") as file:
            found += [json.loads(line) for line in file]
    return found


@pytest.mark.usefixtures("done")
class TestJsonLines:
    def test_the_rows_are_those_of_the_parquet_output(self):
        import datasets

        translate(config(sink={"path": "lines", "format": "jsonl"}))
        lines = Storage("lines")
        for kind in ("data", "rejected"):
            tables = [pq.read_table(path) for path in sorted(Path("out", kind).iterdir())]
            theirs = [row for table in tables for row in table.to_pylist()]
            assert [row | {"run_id": 0} for row in lines_of(f"lines/{kind}")] == [
                row | {"run_id": 0} for row in theirs
            ]
        assert len(sample_pairs(lines, 3)) == 3
        assert verify(lines).faults == ()

        before = datasets.load_dataset("lines", split="train", cache_dir="cache")
        compact(lines, rows_per_file=1000)
        after = datasets.load_dataset("lines", split="train", cache_dir="cache2")
        assert before.features == after.features
        assert before.to_list() == after.to_list() == lines_of("lines/data")
        assert verify(lines).faults == ()

    def test_a_column_that_json_cannot_hold_stops_the_job_before_any_work(self):
        table = pa.table({"text": ["Hello."], "raw": pa.array([b"x"]), "n": pa.array([1])})
        pq.write_table(table, "raw.parquet")
        sink = {"path": "other", "format": "jsonl"}
        with pytest.raises(SourceError, match=r"'raw' \(binary\); leave them out"):
            translate(config(source={"paths": "raw.parquet"}, sink=sink))
        assert not Path("other").exists()
        source = {"paths": "raw.parquet", "columns": ["n", "text"]}
        assert translate(config(source=source, sink=sink)).translated == 1

    def test_a_retry_after_compacting_replaces_only_what_failed(self):
        texts = [json.dumps({"id": n, "text": f"Hello {n}."}) for n in range(20)]
        texts[7] = '{"id": 7, "text": '
        Path("broken.jsonl").write_text("\n".join(texts))
        sink = {"path": "broken", "format": "jsonl", "compression": "none"}
        run = {"max_failed_rows": 0.2, "shard_rows": 5}
        translate(config(source={"paths": "broken.jsonl"}, sink=sink, run=run))
        storage = Storage("broken")
        compact(storage, rows_per_file=1000)
        (merged,) = storage.names("data")
        assert retry(storage, "broken").failed == 1
        assert verify(storage).faults == ()
        names = storage.names("data")
        assert [".g1." in name for name in names] == [False, True]
        assert merged not in names
        compact(storage, rows_per_file=1000)
        assert storage.names("data") == [merged]
        assert verify(storage).faults == ()
