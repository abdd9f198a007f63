"""Harm done to an output, each kind found and named."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sample import config

from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage


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
            pq.write_table(table, out / name, compression="none")
        assert "out/_manifest.json: " in self.faults()
        translate(config())
        assert self.faults() == ""

    def test_a_run_that_did_not_finish_is_not_well(self, out):
        out.joinpath("_SUCCESS").unlink()
        assert "_SUCCESS: missing" in self.faults()
