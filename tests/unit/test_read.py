import gzip
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planning import plan_of, read_all
from s3_server import RandomFaults

from aslbatch.errors import SourceError
from aslbatch.schema import SOURCE_ROW, SOURCE_URI
from aslbatch.shards.plan import Plan
from aslbatch.shards.reading import Reading
from aslbatch.storage.folder import Storage


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(path=".", shard_rows=1_000, columns="all") -> Plan:
    return plan_of(path, shard_rows=shard_rows, columns=columns)


def read_bytes(name: str, data: bytes, *, shard_rows: int = 1_000, columns="all") -> pa.Table:
    Path(name).write_bytes(data)
    return read_all(plan(shard_rows=shard_rows, columns=columns))


def texts(table: pa.Table) -> list[str | None]:
    return table["_text"].to_pylist()


def reasons(table: pa.Table) -> list[str | None]:
    return table["_reject_reason"].to_pylist()


def details(table: pa.Table) -> list[str | None]:
    return table["_reject_detail"].to_pylist()


def test_table_has_source_columns_then_working_columns():
    table = read_bytes("a.csv", b"id,text\n7,hello\n8,you\n", shard_rows=1)
    string = pa.string()
    assert table.schema.equals(
        pa.schema(
            [
                ("id", string),
                ("text", string),
                ("_text", string),
                SOURCE_URI,
                SOURCE_ROW,
                ("_reject_reason", string),
                ("_reject_detail", string),
            ]
        )
    )
    assert table.to_pylist() == [
        {
            "id": id_,
            "text": text,
            "_text": text,
            "source_uri": "a.csv",
            "source_row": row,
            "_reject_reason": None,
            "_reject_detail": None,
        }
        for row, (id_, text) in enumerate([("7", "hello"), ("8", "you")])
    ]


@pytest.mark.parametrize("columns", [[], ["id"]])
def test_text_column_need_not_be_kept(columns):
    table = read_bytes("a.csv", b"id,text\n7,hello\n", columns=columns)
    assert table.column_names[: len(columns) + 1] == [*columns, "_text"]
    assert texts(table) == ["hello"]


@pytest.mark.parametrize("shard_rows", [1, 2, 1_000])
def test_text_rows_are_lines(shard_rows):
    data = b"\xef\xbb\xbffirst\r\n\r\n\n \x00nul\xe2\x80\xa8same\x0bline\n\xef\xbb\xbfno file start"
    table = read_bytes("a.txt", data, shard_rows=shard_rows)
    assert texts(table) == [
        "first",
        "",
        "",
        " \x00nul\u2028same\x0bline",
        "\ufeffno file start",
    ]
    assert table["source_row"].to_pylist() == [0, 1, 2, 3, 4]
    assert reasons(table) == [None] * 5


@pytest.mark.parametrize("shard_rows", [1, 1_000])
@pytest.mark.parametrize(
    ("name", "head", "line"),
    [
        ("a.txt", b"", b"b\xffad"),
        ("a.jsonl", b'{"text": "a"}\n', b'{"text": "b\xffad"}'),
        ("a.csv", b"text\n", b"b\xffad"),
    ],
)
def test_invalid_utf8_rejects_its_row_alone(name, head, line, shard_rows):
    good = b'{"text": "good"}' if name == "a.jsonl" else b"good"
    table = read_bytes(name, head + good + b"\n" + line + b"\n" + good, shard_rows=shard_rows)
    *_, before, bad, after = zip(texts(table), reasons(table), details(table), strict=True)
    assert before == after == ("good", None, None)
    position = line.index(b"\xff")
    assert bad[:2] == (None, "invalid_utf8")
    assert bad[2].startswith(f"byte {position} of the row is 0xff")


def test_invalid_utf8_position_counts_all_lines_of_a_csv_record():
    table = read_bytes("a.csv", b'text\n"one\ntwo \xff"\n')
    assert details(table)[0].startswith("byte 9 of the row")


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
def test_line_of_a_megabyte_passes(name):
    long = b"word " * 250_000
    data = {
        "a.txt": long + b"\nshort",
        "a.jsonl": b'{"text": "%s"}\n{"text": "short"}' % long,
        "a.csv": b"text\n%s\nshort\n" % long,
    }[name]
    table = read_bytes(name, data, shard_rows=1)
    assert [len(text) for text in texts(table)] == [len(long), 5]
    assert reasons(table) == [None, None]


def test_jsonl_values_pass_through_with_their_types():
    rows = [
        {"text": "x", "n": 2**53 + 1, "tags": ["a", None], "meta": {"k": [1.5]}},
        {"text": "ÿ😀", "n": None, "tags": [], "meta": None},
    ]
    data = "\r\n".join(json.dumps(row) for row in rows).encode()
    table = read_bytes("a.jsonl", data, shard_rows=1)
    assert table.select(["text", "n", "tags", "meta"]).to_pylist() == rows


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ("", "empty", "the line is blank"),
        ('{"id": 5}', "empty", "column 'text' is null"),
        ('{"id": 5, "text": null}', "empty", "column 'text' is null"),
        ('{"id": 5, "text": "x"', "invalid_row", "invalid JSON at character 21"),
        ('{"id": NaN, "text": "x"}', "invalid_row", "NaN is not a JSON value"),
        ('["x"]', "invalid_row", "holds list, expected a JSON object"),
        ("null", "invalid_row", "expected a JSON object"),
        ('{"id": "5", "text": "x"}', "invalid_row", "field 'id' is string, expected int64"),
        ('{"id": 1.0, "text": "x"}', "invalid_row", "field 'id' is double 1.0, expected int64"),
        ('{"id": true, "text": "x"}', "invalid_row", "field 'id' is bool"),
        ('{"id": 9223372036854775808}', "invalid_row", "beyond int64"),
        ('{"text": 5}', "invalid_row", "field 'text' is int64 5, expected string"),
        ('{"f": 9007199254740993}', "invalid_row", "field 'f' is int64 9007199254740993"),
        ('{"f": 1e999}', "invalid_row", "field 'f' is double inf"),
        ('{"s": {"a": "x"}}', "invalid_row", "field 's.a' is string, expected int64"),
        ('{"s": {"z": 1}}', "invalid_row", "field 's.z' (int64) is unknown"),
        ('{"s": []}', "invalid_row", "field 's' is list, expected struct"),
        ('{"l": ["x", {}]}', "invalid_row", "field 'l[1]' is struct, expected string"),
        ('{"l": "x"}', "invalid_row", "field 'l' is string, expected list"),
        ('{"text": "\\ud83d"}', "invalid_row", "half a surrogate pair"),
        ("[" * 100_000, "invalid_row", "nested too deeply"),
        ('{"text": "a\x00b"}', "invalid_row", "invalid JSON at character 11"),
    ],
)
def test_jsonl_row_that_does_not_fit_is_rejected(line, reason, detail, monkeypatch):
    monkeypatch.setattr("aslbatch.shards.formats.jsonl.SAMPLE_ROWS", 1)
    head = '{"id": 1, "text": "good", "f": 1.5, "s": {"a": 1}, "l": ["x"]}\n'
    table = read_bytes("a.jsonl", (head + line + "\n" + head).encode())
    assert reasons(table) == [None, reason, None]
    assert detail in details(table)[1]
    assert texts(table) == ["good", None, "good"]
    if reason == "invalid_row":
        assert table.slice(1, 1).select(["id", "text", "f", "s", "l"]).to_pylist() == [
            dict.fromkeys(["id", "text", "f", "s", "l"])
        ]


def test_jsonl_field_beyond_the_sample_is_rejected_unless_columns_are_chosen(monkeypatch):
    monkeypatch.setattr("aslbatch.shards.formats.jsonl.SAMPLE_ROWS", 2)
    data = b'{"text": "a"}\n' * 2 + b'{"text": "b", "new": 1}\n'
    table = read_bytes("a.jsonl", data)
    assert reasons(table) == [None, None, "invalid_row"]
    assert "field 'new' (int)" in details(table)[2]
    assert "source.columns" in details(table)[2]
    assert texts(read_bytes("a.jsonl", data, columns=["text"])) == ["a", "a", "b"]
    assert texts(read_bytes("a.jsonl", data, columns=[])) == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("empty", "full"),
    [
        (None, 1999),
        (None, [1.5]),
        ([], [1, None]),
        ([[]], [[1]]),
        ([None], [{"a": 1}]),
        ([{"a": None}], [{"a": True}]),
        ({"a": None, "b": []}, {"a": 5, "b": [{"c": "x"}]}),
        ({"a": {"b": None}}, None),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_jsonl_of_which_one_file_has_only_nulls_reads_as_written(empty, full, turned):
    values = [full, empty] if turned else [empty, full]
    for name, value in zip("ab", values, strict=True):
        Path(f"{name}.jsonl").write_text(json.dumps({"text": name, "x": value}) + "\n")
    table = read_all(plan())
    assert reasons(table) == [None, None]
    assert table["x"].to_pylist() == values


def test_jsonl_text_column_may_be_null_throughout_one_file():
    Path("a.jsonl").write_text('{"text": null}\n')
    Path("b.jsonl").write_text('{"text": "hello"}\n')
    table = read_all(plan())
    assert texts(table) == [None, "hello"]
    assert reasons(table) == ["empty", None]


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us"), pa.float32(), pa.date32(), pa.decimal128(9, 2)]
)
def test_jsonl_nulls_fit_any_type_of_another_source_and_later_values_are_rejected(
    kind, monkeypatch
):
    monkeypatch.setattr("aslbatch.shards.formats.jsonl.SAMPLE_ROWS", 1)
    Path("a.jsonl").write_text('{"text": "a", "x": null}\n{"text": "b", "x": "2020"}\n')
    pq.write_table(pa.table({"text": ["c"], "x": pa.nulls(1, kind)}), "b.parquet")
    table = read_all(plan())
    assert table.schema.field("x").type == kind
    assert reasons(table) == [None, "invalid_row", None]
    assert details(table)[1].startswith(f"field 'x' is string, expected {kind}")


def test_jsonl_integers_become_doubles_where_another_file_has_them():
    Path("a.jsonl").write_text('{"text": "a", "n": 1}\n')
    Path("b.jsonl").write_text('{"text": "b", "n": 1.5}\n{"text": "c", "only_b": 1}\n')
    table = read_all(plan())
    assert table.select(["n", "only_b"]).to_pylist() == [
        {"n": 1.0, "only_b": None},
        {"n": 1.5, "only_b": None},
        {"n": None, "only_b": 1},
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("b.csv", "text\nx\n"),
        ("b.txt", "x\n"),
        ("b.srt", "1\n00:00:01,000 --> 00:00:02,000\nx\n"),
        ("b.tmx", '<tmx><body><tu><tuv lang="text"><seg>x</seg></tuv></tu></body></tmx>'),
    ],
)
def test_columns_with_types_of_their_own_are_null_in_files_without_them(name, data):
    Path("a.jsonl").write_text('{"text": "a", "s": {"n": [1]}}\n')
    Path(name).write_text(data)
    table = read_all(plan(columns=["s"]))
    assert table["s"].to_pylist() == [{"n": [1]}, None]


@pytest.mark.parametrize("shard_rows", [1, 1_000])
def test_byte_order_mark_is_dropped_at_the_file_start_only(shard_rows):
    bom = "\ufeff".encode()
    table = read_bytes("a.jsonl", bom + b'{"text": "a"}\n{"text": "b"}\n', shard_rows=shard_rows)
    assert texts(table) == ["a", "b"]
    Path("a.jsonl").unlink()
    table = read_bytes("a.csv", bom + b"text\n" + bom + b"a\nb\n", shard_rows=shard_rows)
    assert texts(table) == ["\ufeffa", "b"]


@pytest.mark.parametrize("shard_rows", [1, 2, 1_000])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_csv_records_may_span_lines(shard_rows, ending):
    data = (
        b'\xef\xbb\xbf"id\n1",text\n1,"two\nlines, ""quoted"""\n\n'
        b'2,5" pipe\n3\n4,a,b\n5,\x00nul\n6,'
    ).replace(b"\n", ending)
    table = read_bytes("a.csv", data, shard_rows=shard_rows)
    newline = ending.decode()
    assert table.column_names[:2] == [f"id{newline}1", "text"]
    assert texts(table) == [
        f'two{newline}lines, "quoted"',
        None,
        '5" pipe',
        None,
        None,
        "\x00nul",
        "",
    ]
    assert reasons(table) == [None, "empty", None, "invalid_row", "invalid_row", None, None]
    assert details(table)[3].startswith("the record has 1 fields, the header 2")
    assert details(table)[4].startswith("the record has 3 fields, the header 2")
    assert table[0].to_pylist() == ["1", None, "2", None, None, "5", "6"]


def test_csv_quote_that_is_never_closed_loses_a_bounded_part(monkeypatch):
    monkeypatch.setattr("aslbatch.shards.formats.delimited.MAX_FIELD_CHARACTERS", 1_000)
    data = b"id,text\n" + b'1,"never closed\n' + b"2,good\n" * 500
    table = read_bytes("a.csv", data, shard_rows=7)
    assert reasons(table)[0] == "invalid_row"
    assert "is a quote not closed" in details(table)[0]
    assert set(texts(table)[1:]) == {"good"}
    assert table.num_rows > 350


def test_tsv_takes_tabs():
    table = read_bytes("a.tsv", b"id\ttext\n1\ta, b\n")
    assert table.select(["id", "text"]).to_pylist() == [{"id": "1", "text": "a, b"}]


@pytest.mark.parametrize("ending", ["gz", "zst"])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
def test_compressed_reads_as_plain(name, ending):
    lines = {
        "a.txt": [b"line %d" % i for i in range(100)],
        "a.jsonl": [b'{"text": "line %d"}' % i for i in range(100)],
        "a.csv": [b"text", *(b'"line %d"' % i for i in range(100))],
    }[name]
    data = b"\n".join(lines)
    pack = gzip.compress if ending == "gz" else lambda part: pa.compress(part, "zstd", asbytes=True)
    table = read_bytes(f"{name}.{ending}", pack(data[:500]) + pack(data[500:]), shard_rows=7)
    assert texts(table) == [f"line {i}" for i in range(100)]


def nested_table() -> pa.Table:
    stamp = datetime(2024, 2, 29, 12, tzinfo=UTC)
    count = 50
    return pa.table(
        {
            "text": pa.array([f"t{i}" if i % 7 else None for i in range(count)], pa.large_string()),
            "struct": [{"a": i, "b": {"c": [str(i)]}} for i in range(count)],
            "a.b": range(count),
            "list": pa.array([[1, None]] * count, pa.list_(pa.int16())),
            "fixed": pa.array([[1.0, 2.0]] * count, pa.list_(pa.float32(), 2)),
            "map": pa.array([[("k", i)] for i in range(count)], pa.map_(pa.string(), pa.int32())),
            "stamp": pa.array([stamp] * count, pa.timestamp("us", tz="Europe/Berlin")),
            "decimal": pa.array([Decimal("1.50")] * count, pa.decimal128(9, 2)),
            "tag": pa.array(["x", "y"] * (count // 2)).dictionary_encode(),
            "bytes": [b"\xff\x00"] * count,
        }
    )


@pytest.mark.parametrize("shard_rows", [1, 7, 1_000])
@pytest.mark.parametrize("group_rows", [3, 1_000])
def test_parquet_columns_pass_through_untouched(shard_rows, group_rows, monkeypatch):
    monkeypatch.setattr("aslbatch.shards.formats.parquet.BATCH_ROWS", 5)
    source = nested_table()
    pq.write_table(source, "a.parquet", row_group_size=group_rows)
    table = read_all(plan(shard_rows=shard_rows))
    kept = table.select(source.column_names)
    assert kept.schema.types == source.schema.types
    assert kept.to_pylist() == source.to_pylist()
    assert texts(table) == source["text"].to_pylist()
    assert reasons(table) == ["empty" if i % 7 == 0 else None for i in range(50)]
    assert table["source_row"].to_pylist() == list(range(50))


@pytest.mark.parametrize("kind", [pa.string_view(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_parquet_text_is_read_as_string(kind):
    pq.write_table(pa.table({"text": pa.array(["a", None, "b"]).cast(kind)}), "a.parquet")
    table = read_all(plan())
    assert texts(table) == table["text"].to_pylist() == ["a", None, "b"]


def test_parquet_columns_of_several_files_get_the_unified_type():
    pq.write_table(pa.table({"text": ["x"], "n": pa.array([1], pa.int32())}), "a.parquet")
    pq.write_table(pa.table({"text": ["y"], "m": [1.5], "n": [2**40]}), "b.parquet")
    table = read_all(plan())
    assert table.select(["n", "m"]).to_pylist() == [{"n": 1, "m": None}, {"n": 2**40, "m": 1.5}]


def test_parquet_values_that_the_unified_type_cannot_hold_are_an_error():
    pq.write_table(pa.table({"text": ["x"], "n": [2**53 + 1]}), "a.parquet")
    pq.write_table(pa.table({"text": ["y"], "n": [1.5]}), "b.parquet")
    with pytest.raises(SourceError, match=r"a\.parquet rows 0 to 0: column 'n' .* double"):
        read_all(plan())


def test_parquet_text_that_is_not_utf8_is_rejected():
    bad = pa.array([b"good", b"b\xff", None]).view(pa.string())
    pq.write_table(pa.table({"text": bad}), "a.parquet")
    table = read_all(plan(columns=[]))
    assert texts(table) == ["good", None, None]
    assert reasons(table) == [None, "invalid_utf8", "empty"]
    assert details(table)[1].startswith("byte 1 of the row is 0xff")


def test_a_shard_with_damaged_pages_is_rejected_as_a_whole():
    table = pa.table({"text": [f"a line of its own, number {n}" for n in range(100)]})
    pq.write_table(table, "a.parquet", compression="zstd", use_dictionary=False)
    data = bytearray(Path("a.parquet").read_bytes())
    data[10:60] = bytes(50)
    Path("a.parquet").write_bytes(bytes(data))
    found = read_all(plan(shard_rows=40))
    assert reasons(found) == ["unreadable"] * 100
    assert found["source_row"].to_pylist() == list(range(100))
    assert found["text"].null_count == 100
    assert "a.parquet: cannot be read" in details(found)[0]


def change_size(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more\n")


def change_time(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", [change_size, change_time])
def test_source_changed_since_the_plan_is_an_error(change):
    Path("a.txt").write_bytes(b"a\nb\n")
    made = plan()
    change(Path("a.txt"))
    with pytest.raises(SourceError, match=r"a\.txt changed since the plan .*--overwrite"):
        read_all(made)


def test_source_changed_while_it_is_read_is_an_error(monkeypatch):
    Path("a.txt").write_bytes(b"a\nb\n")
    made = plan()
    seen = [(4, made.shards[0].pieces[0].source.version), (4, "another")]
    monkeypatch.setattr("aslbatch.shards.read.fingerprint", lambda *_: seen.pop(0))
    with pytest.raises(SourceError, match="changed since the plan was made"):
        read_all(made)


def test_source_that_is_gone_is_an_error():
    Path("a.txt").write_bytes(b"a\nb\n")
    made = plan()
    Path("a.txt").unlink()
    with pytest.raises(SourceError, match=r"a\.txt: the file is gone"):
        read_all(made)


def test_rows_other_than_planned_are_an_error():
    Path("a.txt").write_bytes(b"a\nb\n")
    made = plan()
    stat = Path("a.txt").stat()
    Path("a.txt").write_bytes(b"ab-\n")
    os.utime("a.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(SourceError, match=r"a\.txt row 0: 1 rows, planned were 2"):
        read_all(made)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_remote_file_reads_like_a_local_one(name, s3):
    csv = b"text\n" + b"".join(b"line %d\n" % i for i in range(20))
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table({"text": [f"line {i}" for i in range(20)]}), buffer)
    data = {"a.csv": csv, "a.csv.gz": gzip.compress(csv)}.get(name, buffer.getvalue().to_pybytes())
    Storage(s3.url, s3.storage_options).publish(name, data)
    s3.server.inject = RandomFaults(0.1, seed=5)
    reading = Reading(storage_options=s3.storage_options)
    table = read_all(plan_of(s3.url, shard_rows=7, reading=reading), reading)
    assert texts(table) == [f"line {i}" for i in range(20)]
    assert table["source_uri"].unique().to_pylist() == [f"{s3.url}/{name}"]
