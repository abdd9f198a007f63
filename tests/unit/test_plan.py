import gzip
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planning import plan_of

from aslbatch.errors import SinkError, SourceError
from aslbatch.shards.plan import Plan, auto_shard_rows
from aslbatch.shards.plan_file import plan_from_parquet, plan_to_parquet
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import shard_from_json, shard_to_json


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_lines(name: str, rows: int, template: str = "line {}\n") -> None:
    Path(name).write_text("".join(template.format(i) for i in range(rows)))


def plan(*paths, shard_rows=3, columns="all", limit=None, text_column="text") -> Plan:
    return plan_of(
        *paths,
        shard_rows=shard_rows,
        columns=columns,
        limit=limit,
        reading=Reading(text_column=text_column),
    )


def pieces(plan: Plan) -> list[list[tuple[str, int, int]]]:
    return [
        [(piece.source.uri, piece.row_start, piece.rows) for piece in shard.pieces]
        for shard in plan.shards
    ]


def test_large_sources_are_cut_and_small_neighbors_share_a_shard():
    for name, rows in {"a": 7, "b": 2, "c": 1, "d": 3, "e": 1}.items():
        write_lines(f"{name}.txt", rows)
    made = plan()
    assert pieces(made) == [
        [("a.txt", 0, 3)],
        [("a.txt", 3, 3)],
        [("a.txt", 6, 1), ("b.txt", 0, 2)],
        [("c.txt", 0, 1)],
        [("d.txt", 0, 3)],
        [("e.txt", 0, 1)],
    ]
    assert made.rows == 14
    assert [shard.index for shard in made.shards] == [0, 1, 2, 3, 4, 5]


def test_a_shard_has_a_limited_number_of_sources(monkeypatch):
    monkeypatch.setattr("aslbatch.shards.plan.MAX_PIECES", 2)
    for name in "abcde":
        write_lines(f"{name}.txt", 1)
    assert [len(shard.pieces) for shard in plan(shard_rows=100).shards] == [2, 2, 1]


def test_rows_too_long_for_a_shard_are_an_error_that_says_where(monkeypatch):
    monkeypatch.setattr("aslbatch.shards.plan.MAX_SHARD_BYTES", 15)
    Path("a.txt").write_bytes(b"short\nshort\n" + b"x" * 20)
    with pytest.raises(SourceError, match=r"a\.txt rows 2 to 2: 20 bytes, more than"):
        plan(shard_rows=2)


def test_small_sources_share_a_shard_only_while_their_bytes_fit(monkeypatch):
    monkeypatch.setattr("aslbatch.shards.plan.MAX_SHARD_BYTES", 50)
    for name in "abc":
        Path(f"{name}.txt").write_bytes(b"x" * 20 + b"\n")
    assert [len(shard.pieces) for shard in plan(shard_rows=100).shards] == [2, 1]


def test_faults_of_several_sources_are_told_at_once():
    for name in "abc":
        Path(f"{name}.csv").write_text("id\n1\n" if name != "b" else "text\nhi\n")
    with pytest.raises(SourceError, match=r"a\.csv: there is no column(.|\n)*c\.csv: there is no"):
        plan()


def test_byte_ranges_follow_the_rows():
    Path("a.txt").write_bytes(b"a\r\nbb\n\nccc\ndd")
    assert [(s.pieces[0].byte_start, s.pieces[0].byte_end) for s in plan(shard_rows=2).shards] == [
        (0, 6),
        (6, 11),
        (11, 13),
    ]


def test_names_are_stable_and_distinct():
    write_lines("a.txt", 7)
    write_lines("b.txt", 7)
    names = [shard.name for shard in plan().shards]
    assert names == [shard.name for shard in plan().shards]
    assert len({name[-8:] for name in names}) == len(names)
    assert names[0].startswith("part-000000-")
    assert set(names).isdisjoint(shard.name for shard in plan(shard_rows=2).shards)


def test_limit_cuts_the_last_shard_and_leaves_out_later_sources():
    write_lines("a.txt", 7)
    write_lines("b.txt", 7)
    Path("c.parquet").write_bytes(b"not looked at")
    made = plan(limit=8)
    assert pieces(made) == [
        [("a.txt", 0, 3)],
        [("a.txt", 3, 3)],
        [("a.txt", 6, 1), ("b.txt", 0, 1)],
    ]
    assert made.shards[-1].pieces[-1].byte_end == len("line 0\n")
    assert [print_["uri"] for print_ in made.fingerprints] == ["a.txt", "b.txt"]


def test_callable_shard_rows_is_given_the_total_and_rounded_down():
    write_lines("a.txt", 5_000)
    write_lines("b.txt", 100)
    totals = []
    made = plan(shard_rows=lambda total, row_bytes: totals.append((total, row_bytes)) or 4_999)
    [(total, row_bytes)] = totals
    assert total == 5_100
    assert 9 < row_bytes < 10
    assert pieces(made) == [
        [("a.txt", 0, 4_096)],
        [("a.txt", 4_096, 904), ("b.txt", 0, 100)],
    ]
    assert made.shards[1].pieces[0].byte_start == len("".join(f"line {i}\n" for i in range(4_096)))


def test_no_rows_at_all_is_an_error():
    Path("a.csv").write_text("text\n")
    with pytest.raises(SourceError, match=r"no rows in a\.csv"):
        plan()


def test_source_without_rows_among_others_gives_no_shard():
    Path("a.csv").write_text("text\n")
    write_lines("b.txt", 1)
    assert pieces(plan()) == [[("b.txt", 0, 1)]]


def test_columns_selects_in_the_order_given():
    Path("a.csv").write_text("id,text,talk\n1,hello,x\n")
    assert plan().schema.names == ["id", "text", "talk"]
    assert plan(columns=["talk", "id"]).schema.names == ["talk", "id"]
    assert plan(columns=[]).schema.names == []


def test_unknown_column_names_those_there_are():
    Path("a.csv").write_text("id,text\n1,hello\n")
    with pytest.raises(SourceError, match=r"no source has 'idd'; .*: 'id', 'text'"):
        plan(columns=["idd"])


@pytest.mark.parametrize("name", ["translation", "_text", "_audit", "source_row"])
def test_reserved_column_is_refused_unless_left_out(name):
    Path("a.csv").write_text(f"{name},text\n1,hello\n")
    with pytest.raises(SourceError, match=rf"'{name}' of a\.csv .*source\.columns, which"):
        plan()
    assert plan(columns=["text"]).schema.names == ["text"]


def test_missing_text_column_names_those_there_are():
    pq.write_table(pa.table({"a": ["x"], "b": ["y"]}), "talks.parquet")
    with pytest.raises(SourceError) as caught:
        plan()
    assert caught.value.message == (
        "talks.parquet: there is no column 'text'; set source.text_column to one of 'a', 'b'"
    )


def test_text_column_of_another_type_is_refused():
    pq.write_table(pa.table({"text": [1]}), "talks.parquet")
    with pytest.raises(SourceError) as caught:
        plan()
    assert caught.value.message == (
        "talks.parquet: column 'text' is int64, expected string; "
        "map another column with source.text_column"
    )


@pytest.mark.parametrize(
    "kind",
    [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
    ids=str,
)
def test_all_kinds_of_strings_are_text(kind):
    pq.write_table(pa.table({"text": pa.array(["x"], kind)}), "a.parquet")
    assert plan().schema.field("text").type == pq.read_schema("a.parquet").field("text").type


def test_column_named_twice_is_refused():
    Path("a.csv").write_text("id,text,id\n1,hello,2\n")
    with pytest.raises(SourceError, match="more than one column is named 'id'"):
        plan()


def test_schemas_are_unified_over_files():
    pq.write_table(pa.table({"text": ["x"], "n": pa.array([1], pa.int32())}), "a.parquet")
    pq.write_table(
        pa.table({"n": pa.array([1], pa.int64()), "text": ["x"], "m": [1.5]}), "b.parquet"
    )
    assert plan().schema.equals(
        pa.schema([("text", pa.string()), ("n", pa.int64()), ("m", pa.float64())])
    )


def test_incompatible_schemas_name_both_files_and_types():
    pq.write_table(pa.table({"text": ["x"], "n": [1]}), "a.parquet")
    pq.write_table(pa.table({"text": ["x"], "n": ["1"]}), "b.parquet")
    with pytest.raises(SourceError) as caught:
        plan()
    assert caught.value.message.startswith(
        "column 'n' is int64 in a.parquet, but string in b.parquet; "
    )
    assert plan(columns=["text"]).rows == 2


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_parquet_is_named(keep):
    pq.write_table(pa.table({"text": ["x" * 50] * 100}), "a.parquet")
    data = Path("a.parquet").read_bytes()
    Path("a.parquet").write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SourceError, match=r"^a\.parquet: cannot be read"):
        plan()


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_damaged_compressed_file_is_named(ending):
    Path(f"a.txt.{ending}").write_bytes(b"this is no compressed file")
    with pytest.raises(SourceError, match=rf"^a\.txt\.{ending}: cannot be read"):
        plan()


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz"])
@pytest.mark.parametrize("good", [0, 2])
def test_a_line_too_long_for_memory_is_named_and_never_held_whole(name, good, monkeypatch):
    monkeypatch.setattr("aslbatch.shards.formats.content.MAX_LINE_BYTES", 1 << 16)
    line = b'{"text": "x"}\n' if "json" in name else b"text\n"
    Path(name).write_bytes(gzip.compress(line * good + b"\0" * (1 << 25)))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=rf"{name} line {good + 1}: longer than 65536 bytes"):
            plan()
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_line_of_just_the_greatest_length_passes(name, monkeypatch):
    line = b'{"text": "xy"}' if "json" in name else b"text\n" + b"x" * 14
    monkeypatch.setattr("aslbatch.shards.formats.content.MAX_LINE_BYTES", 15)
    Path(name).write_bytes(line + b"\n")
    assert plan().rows == 1


def test_jsonl_types_are_inferred():
    Path("a.jsonl").write_text(
        '{"text": "x", "i": 1, "f": 1, "b": true, "l": [], "s": {"a": 1}, "n": null}\n'
        "\n"
        '{"text": "y", "f": 1.5, "l": [1], "s": {"b": "z"}, "late": [null]}\n'
    )
    assert plan().schema.equals(
        pa.schema(
            [
                ("text", pa.string()),
                ("i", pa.int64()),
                ("f", pa.float64()),
                ("b", pa.bool_()),
                ("l", pa.list_(pa.int64())),
                ("s", pa.struct([("a", pa.int64()), ("b", pa.string())])),
                ("n", pa.string()),
                ("late", pa.list_(pa.string())),
            ]
        )
    )


def test_a_type_of_nulls_gives_way_only_where_it_was_guessed():
    Path("a.jsonl").write_text('{"text": "x", "guessed": null}\n')
    pq.write_table(pa.table({"text": ["y"], "stated": pa.nulls(1)}), "b.parquet")
    schema = plan().schema
    assert schema.field("guessed").type == pa.string()
    assert schema.field("stated").type == pa.null()


def test_a_clash_of_types_names_a_file_that_has_the_type():
    for name, value in (("a", "null"), ("b", "5"), ("c", '"five"')):
        Path(f"{name}.jsonl").write_text(f'{{"text": "x", "n": {value}}}\n')
    with pytest.raises(SourceError, match=r"int64 in b\.jsonl, but string in c\.jsonl"):
        plan()


def test_jsonl_that_is_one_document_is_refused():
    Path("a.json").write_text('[\n  {\n    "text": "x"\n  }\n]\n')
    with pytest.raises(SourceError, match=r"a\.json: none of .* one object a line"):
        plan()


def test_jsonl_field_of_empty_objects_is_refused():
    Path("a.jsonl").write_text('{"text": "x", "meta": {}}\n')
    with pytest.raises(SourceError, match="field 'meta' has only empty objects"):
        plan()


def test_csv_without_header_is_refused():
    Path("a.csv").write_text("\n1,2\n")
    with pytest.raises(SourceError, match=r"a\.csv: no header: the first line is blank"):
        plan()


def test_plan_survives_storing_and_its_bytes_are_deterministic():
    write_lines("a.txt", 7)
    pq.write_table(pa.table({"text": ["x"], "m": [{"k": [1]}]}), "b.parquet")
    made = plan(columns=["m", "text"])
    data = plan_to_parquet(made)
    assert data == plan_to_parquet(plan(columns=["m", "text"]))
    stored = plan_from_parquet(data)
    assert stored == made
    assert stored.schema.equals(made.schema, check_metadata=True)


@pytest.mark.parametrize("data", [b"", b"nonsense"])
def test_stored_plan_that_is_damaged_is_an_error(data):
    with pytest.raises(SinkError, match="--overwrite"):
        plan_from_parquet(data)


def test_shard_survives_json():
    write_lines("ä.txt", 1)
    [shard] = plan().shards
    assert shard_from_json(shard_to_json(shard)) == shard


@pytest.mark.parametrize("total_rows", [0, 10, 16_384, 20_000, 100_000, 10_000_000, 10**9])
@pytest.mark.parametrize("workers", [1, 7, 64])
def test_auto_shard_rows_keeps_workers_busy(total_rows, workers):
    rows = auto_shard_rows(total_rows, 50.0, workers=workers)
    assert 2_048 <= rows <= 131_072
    assert rows % 2_048 == 0
    assert rows == 2_048 or total_rows / rows >= 8 * workers


def test_auto_shard_rows_grows_with_the_corpus():
    assert auto_shard_rows(10**9, 50.0, workers=64) == 131_072
    assert auto_shard_rows(1_000_000, 50.0, workers=10) == 6 * 2_048


def test_auto_shard_rows_bounds_the_bytes_of_a_shard():
    assert auto_shard_rows(10**9, 1_000.0, workers=1) == 32 * 2_048
    assert auto_shard_rows(10**9, 1e9, workers=1) == 2_048
