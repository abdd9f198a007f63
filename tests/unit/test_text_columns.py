"""Texts inside structs, named by a dotted path, in every format that has structs."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planning import plan_of, read_all

from aslbatch.errors import SourceError
from aslbatch.shards.columns import find_text, text_value
from aslbatch.shards.reading import Reading

ROWS = [
    {"id": "0", "pair": {"en": "Hello.", "fr": "Bonjour."}},
    {"id": "1", "pair": {"en": None, "fr": "Oui."}},
    {"id": "2", "pair": None},
    {"id": "3", "pair": {"en": "Yes.", "fr": None}},
]
ENGLISH = Reading(text_column="pair.en")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, rows=ROWS) -> str:
    if name.endswith("jsonl"):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return name
    table = pa.Table.from_pylist(rows)
    if name.endswith("parquet"):
        pq.write_table(table, name, row_group_size=3)
    else:
        with pa.ipc.new_stream(name, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
    return name


@pytest.mark.parametrize("shard_rows", [1, 3, 1_000])
@pytest.mark.parametrize("columns", ["all", [], ["id"], ["pair"]])
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.arrow"])
def test_texts_are_taken_out_of_structs(name, columns, shard_rows):
    plan = plan_of(write(name), shard_rows=shard_rows, columns=columns, reading=ENGLISH)
    table = read_all(plan, ENGLISH)
    assert table["_text"].to_pylist() == ["Hello.", None, None, "Yes."]
    assert table["_reject_reason"].to_pylist() == [None, "empty", "empty", None]
    kept = ["id", "pair"] if columns == "all" else columns
    assert table.select(kept).to_pylist() == [{name: row[name] for name in kept} for row in ROWS]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.arrow"])
def test_a_column_with_a_dot_in_its_name_wins(name):
    rows = [{"pair.en": "named", "pair": {"en": "inside"}}]
    assert read_all(plan_of(write(name, rows), reading=ENGLISH), ENGLISH)["_text"].to_pylist() == [
        "named"
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.arrow"])
def test_a_missing_field_lists_the_texts_there(name):
    german = Reading(text_column="pair.de")
    with pytest.raises(SourceError, match=r"one of 'id', 'pair\.en', 'pair\.fr'"):
        plan_of(write(name), reading=german)
    struct = Reading(text_column="pair")
    with pytest.raises(SourceError, match=r"is struct with \.en, \.fr, expected string"):
        plan_of(name, reading=struct)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"pair": "x"}, "field 'pair' is str"),
        ({"pair": {"en": 5}}, "field 'pair.en' is int"),
    ],
)
@pytest.mark.parametrize("columns", ["all", []])
def test_a_row_of_json_with_something_else_in_the_way_is_rejected(row, fault, columns, monkeypatch):
    monkeypatch.setattr("aslbatch.shards.formats.jsonl.SAMPLE_ROWS", 4)
    plan = plan_of(write("a.jsonl", [*ROWS, row, ROWS[0]]), columns=columns, reading=ENGLISH)
    table = read_all(plan, ENGLISH).slice(4).select(["_text", "_reject_reason", "_reject_detail"])
    bad, good = table.to_pylist()
    assert (bad["_text"], bad["_reject_reason"]) == (None, "invalid_row")
    assert bad["_reject_detail"].startswith(fault)
    assert good["_text"] == "Hello."


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"a": {"b.c": "x"}}, "a.b.c"),
        ({"a.b": {"c": "x"}}, "a.b.c"),
        ({"a": {"b": {"c": "x"}}}, "a.b.c"),
        ({"a": {"b": {"c": "y"}}, "a.b.c": "x"}, "a.b.c"),
        ({"": {"": "x"}}, "."),
    ],
)
def test_dots_may_be_part_of_names(value, name):
    path, kind = find_text(pa.Table.from_pylist([value]).schema, name)
    assert ".".join(path) == name
    assert kind == pa.string()
    assert text_value(value, name) == "x"


def test_what_is_no_path_is_not_found():
    schema = pa.Table.from_pylist([{"a": {"b": "x"}, "c": "y"}]).schema
    assert [find_text(schema, name) for name in ("b", "a.", "a.c", "c.d", ".a", "a.b.c")] == (
        [None] * 6
    )
    assert text_value({"a": {"b": "x"}}, "a.c") is None


def test_the_layout_of_opus_is_read_without_its_struct():
    rows = [{"id": row["id"], "translation": row["pair"]} for row in ROWS]
    opus = Reading(text_column="translation.en")
    with pytest.raises(SourceError, match=r"'translation' of a\.parquet .* with source\.columns"):
        plan_of(write("a.parquet", rows), reading=opus)
    table = read_all(plan_of("a.parquet", columns=["id"], reading=opus), opus)
    assert table.select(["id", "_text"]).to_pylist()[0] == {"id": "0", "_text": "Hello."}
