"""Arrow files, most of them written by `datasets` itself."""

import json
from pathlib import Path

import datasets
import pyarrow as pa
import pytest
from planning import plan_of, read_all

from aslbatch.errors import SourceError

ROWS = {"text": [f"line {n}" if n % 5 else None for n in range(23)], "n": list(range(23))}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stream(name: str, table: pa.Table, batch_rows=4, kind=pa.ipc.new_stream, **options) -> str:
    with kind(name, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return name


@pytest.mark.parametrize("shard_rows", [1, 7, 1_000])
def test_a_saved_dataset_is_read_without_its_notes(shard_rows):
    datasets.Dataset.from_dict(ROWS).save_to_disk("saved", num_shards=3)
    assert Path("saved/dataset_info.json").exists()
    assert Path("saved/state.json").exists()
    datasets.load_from_disk("saved").map(lambda row: {"n": row["n"] + 1})
    assert list(Path("saved").glob("cache-*.arrow"))
    table = read_all(plan_of("saved", shard_rows=shard_rows))
    assert table.select(["text", "n"]).to_pydict() == ROWS
    assert table["_text"].to_pylist() == ROWS["text"]
    assert table["source_row"].to_pylist() == [*range(8), *range(8), *range(7)]


def test_a_saved_dict_of_datasets_is_read_split_by_split():
    split = datasets.Dataset.from_dict(ROWS)
    datasets.DatasetDict({"train": split, "test": split}).save_to_disk("saved")
    assert json.loads(Path("saved/dataset_dict.json").read_text())["splits"] == ["train", "test"]
    table = read_all(plan_of("saved"))
    assert {Path(uri).parts[1] for uri in table["source_uri"].to_pylist()} == {"train", "test"}
    assert table.num_rows == 46


@pytest.mark.parametrize("features", ["translation", "class", "array"])
def test_features_of_datasets_come_as_what_they_are_stored_as(features):
    kinds = {
        "translation": (datasets.Translation(["en", "fr"]), {"en": "a", "fr": "b"}),
        "class": (datasets.ClassLabel(names=["no", "yes"]), 1),
        "array": (datasets.Array2D((2, 2), "int64"), [[1, 2], [3, 4]]),
    }
    feature, value = kinds[features]
    schema = datasets.Features({"text": datasets.Value("string"), "x": feature})
    datasets.Dataset.from_list([{"text": "a", "x": value}], features=schema).save_to_disk("saved")
    table = read_all(plan_of("saved"))
    assert table["x"].to_pylist() == [value]
    assert not isinstance(table.schema.field("x").type, pa.BaseExtensionType)


@pytest.mark.parametrize("kind", [pa.ipc.new_stream, pa.ipc.new_file])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd"},
        {"compression": "lz4"},
        {"use_legacy_format": True},
        {"metadata_version": pa.ipc.MetadataVersion.V4},
    ],
)
@pytest.mark.parametrize("shard_rows", [3, 1_000])
def test_streams_and_files_of_any_kind_are_read(kind, options, shard_rows):
    table = pa.table({**ROWS, "tag": pa.array(["x", None, "y"] * 7 + ["z"] * 2)})
    table = table.set_column(2, "tag", table["tag"].combine_chunks().dictionary_encode())
    name = stream("a.arrow", table, kind=kind, **options)
    found = read_all(plan_of(name, shard_rows=shard_rows))
    assert found.select(table.column_names).to_pydict() == table.to_pydict()


@pytest.mark.parametrize("limit", [1, 4, 5, 100])
def test_a_limit_stops_in_the_middle_of_a_batch(limit):
    plan = plan_of(stream("a.arrow", pa.table(ROWS)), shard_rows=3, limit=limit)
    assert read_all(plan)["n"].to_pylist() == ROWS["n"][:limit]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_text_that_is_not_utf8_is_rejected(kind):
    as_bytes = pa.binary() if kind == pa.string() else pa.large_binary()
    raw = pa.array([b"good", b"b\xff", None], as_bytes)
    stream("a.arrow", pa.table({"text": raw.view(kind)}))
    table = read_all(plan_of("a.arrow"))
    assert table["_text"].to_pylist() == table["text"].to_pylist() == ["good", None, None]
    assert table["_reject_reason"].to_pylist() == [None, "invalid_utf8", "empty"]
    assert table["_reject_detail"][1].as_py().startswith("byte 1 of the row is 0xff")


def test_other_columns_that_are_not_utf8_reject_their_rows_too():
    pair = pa.StructArray.from_arrays([pa.array([b"\xff", b"b"]).view(pa.string())], ["x"])
    stream("a.arrow", pa.table({"text": ["one", "two"], "pair": pair}))
    table = read_all(plan_of("a.arrow"))
    assert table["pair"].to_pylist() == [None, {"x": "b"}]
    assert table["_reject_reason"].to_pylist() == ["invalid_utf8", None]
    assert table["_text"].to_pylist() == [None, "two"]
    assert table["_reject_detail"][0].as_py().startswith("column 'pair': byte 0 of the row")


def test_strings_below_a_null_that_are_not_utf8_are_damage():
    names = pa.array([b"\xff", b"b"]).view(pa.string())
    pair = pa.StructArray.from_arrays([names], ["x"], mask=pa.array([True, False]))
    stream("a.arrow", pa.table({"text": ["one", "two"], "pair": pair}))
    assert read_all(plan_of("a.arrow"))["_reject_reason"].to_pylist() == ["unreadable"] * 2


def test_offsets_that_point_elsewhere_are_no_reason_to_crash():
    name = stream("a.arrow", pa.table({"text": ["abcdefgh" * 8] * 64}), batch_rows=64)
    plan = plan_of(name)
    data = Path(name).read_bytes()
    offset = data.index((64).to_bytes(4, "little") + (128).to_bytes(4, "little"))
    broken = data[:offset] + (1 << 30).to_bytes(4, "little") + data[offset + 4 :]
    Path("b.arrow").write_bytes(broken)
    table = read_all(plan_of("b.arrow"))
    assert table["_reject_reason"].to_pylist() == ["unreadable"] * plan.rows


@pytest.mark.parametrize("data", [b"x", b"ARROW1\0\0", b"FEA1" * 9, b"\xff" * 40, b"\0" * 40])
def test_what_is_no_arrow_file_is_an_error(data):
    Path("a.arrow").write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.arrow: cannot be read"):
        plan_of("a.arrow")


def test_a_compressed_arrow_file_is_refused():
    Path("a.arrow.gz").write_bytes(b"x")
    with pytest.raises(SourceError, match="Arrow files that are compressed"):
        plan_of("a.arrow.gz")
