"""Tables as bytes and back, in both formats."""

import json
import math
import random
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finished_output import SOURCE, make_rows, output_format

from aslbatch.errors import SourceError
from aslbatch.schema import SOURCE_ROW, TAG
from aslbatch.shards.commits import select_columns
from aslbatch.shards.encoding import Encoding, decode
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.parquet_bytes import ROW_GROUP_ROWS

ENCODINGS = [
    Encoding("parquet", "zstd"),
    Encoding("parquet", "snappy"),
    Encoding("parquet", "none"),
    Encoding("jsonl", "zstd"),
    Encoding("jsonl", "none"),
]
JSON_TYPES = [
    (pa.null(), [None, None]),
    (pa.bool_(), [True, None]),
    (pa.int8(), [-128, None]),
    (pa.uint64(), [2**64 - 1, None]),
    (pa.int64(), [-(2**63), 2**53 + 1]),
    (pa.float32(), [0.1, None]),
    (pa.float64(), [1e300, 0.1]),
    (pa.string(), ['"\n\\ ü\u2028 🙂', None]),
    (pa.large_string(), ["a", ""]),
    (pa.list_(pa.list_(pa.int32())), [[[1], None], []]),
    (pa.list_(pa.float32(), 2), [[1.5, 2.5], None]),
    (pa.large_list(pa.string()), [["a", None], None]),
    (pa.struct([("a", pa.int16()), ("b", pa.list_(TAG))]), [{"a": 1, "b": ["x"]}, None]),
    (pa.dictionary(pa.int8(), pa.large_string()), ["a", None]),
]


def data(rows=50):
    table = make_rows(0, rows, reasons=(None,))
    return select_columns(table, output_format().data_schema)


def file_of(encoding, table):
    return f"data/x{encoding.suffix}", encoding.encode(table)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_rows_and_types_come_back(encoding):
    table = data()
    name, content = file_of(encoding, table)
    back = decode(name, content, table.schema)
    back.validate(full=True)
    assert back.schema == table.schema
    assert back.to_pylist() == table.to_pylist()
    some = pa.schema([table.schema.field("score"), SOURCE_ROW])
    assert decode(name, content, some).equals(table.select(["score", "source_row"]))


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_equal_rows_give_equal_bytes_whatever_their_chunks(encoding):
    table = data()
    name, content = file_of(encoding, table)
    again = decode(name, content, table.schema)
    cut = random.Random(2).randrange(1, 49)
    other = pa.concat_tables([again.slice(0, cut), data().slice(cut)])
    assert other["speaker"].num_chunks == 2
    assert encoding.encode(other) == content


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.string(), ["a", "b"]),
        (pa.large_string(), ["a", "b"]),
        (pa.binary(), [b"a", b"b"]),
        (pa.large_binary(), [b"a", b"b"]),
        (pa.int64(), [1, 2]),
        (pa.float64(), [0.5, 1.5]),
        (pa.timestamp("us"), [1, 2]),
        (pa.decimal128(9, 2), [Decimal("0.50"), Decimal("1.50")]),
    ],
    ids=str,
)
def test_equal_rows_give_equal_bytes_whatever_the_order_of_a_dictionary(kind, values):
    def table(indices, dictionary):
        rows = pa.array(indices, pa.int32())
        return pa.table({"x": pa.DictionaryArray.from_arrays(rows, pa.array(dictionary, kind))})

    ordered = table([0, 1, None, 0], values)
    turned = table([1, 0, None, 1], values[::-1])
    assert ordered.to_pylist() == turned.to_pylist()
    encoding = Encoding("parquet", "zstd")
    assert encoding.encode(ordered) == encoding.encode(turned)
    assert decode(*file_of(encoding, turned), turned.schema).to_pylist() == turned.to_pylist()


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_a_file_may_be_empty(encoding):
    table = data().slice(0, 0)
    assert decode(*file_of(encoding, table), table.schema).equals(table)


@pytest.mark.parametrize(("kind", "values"), JSON_TYPES, ids=[str(kind) for kind, _ in JSON_TYPES])
def test_every_type_that_json_can_hold_comes_back(kind, values):
    table = pa.table({"x": pa.array(values, kind)})
    encoding = Encoding("jsonl", "zstd")
    OutputFormat(table.schema, False, "zstd", "jsonl").check_columns()
    back = decode(*file_of(encoding, table), table.schema)
    assert back.schema == table.schema
    assert back.to_pylist() == table.to_pylist()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.dictionary(pa.int32(), pa.int64()), [5, None, 5]),
        (pa.dictionary(pa.int8(), pa.string()), ["b", "a", None]),
        (pa.list_(TAG), [["b"], [], ["a", None]]),
        (pa.decimal128(9, 2), [None, None, None]),
        (pa.timestamp("us", "UTC"), [0, None, 10**15]),
        (pa.binary(), [b"\xff", None, b""]),
        (pa.map_(pa.string(), pa.int8()), [[("a", 1)], None, []]),
    ],
    ids=str,
)
def test_other_types_come_back_from_parquet_and_may_be_put_together(kind, values):
    table = pa.table({"x": pa.array(values, kind)})
    encoding = Encoding("parquet", "zstd")
    whole = encoding.encode(table)
    parts = [decode(*file_of(encoding, table.slice(n, 1)), table.schema) for n in range(3)]
    back = pa.concat_tables(parts)
    assert back.schema == table.schema
    assert back.to_pylist() == table.to_pylist()
    assert encoding.encode(back) == whole


def test_columns_that_json_cannot_hold_are_all_named_with_their_types():
    odd = {
        "raw": pa.binary(),
        "price": pa.decimal128(9, 2),
        "at": pa.timestamp("us"),
        "nested": pa.list_(pa.struct([("day", pa.date32())])),
        "map": pa.map_(pa.string(), pa.int64()),
        "codes": pa.dictionary(pa.int32(), pa.int64()),
    }
    schema = pa.schema([("id", pa.int64()), *odd.items()])
    with pytest.raises(SourceError) as caught:
        OutputFormat(schema, False, "zstd", "jsonl").check_columns()
    for name, kind in odd.items():
        assert f"{name!r} ({kind})" in caught.value.message
    assert "'id'" not in caught.value.message
    assert "source.columns" in caught.value.message
    assert "sink.format" in caught.value.message
    OutputFormat(schema, False, "zstd").check_columns()


def test_columns_that_parquet_cannot_hold_are_all_named_with_their_types():
    odd = {
        "empty": pa.struct([]),
        "nested": pa.list_(pa.struct([("inner", pa.struct([]))])),
        "runs": pa.run_end_encoded(pa.int32(), pa.string()),
        "span": pa.month_day_nano_interval(),
        "views": pa.dictionary(pa.int32(), pa.string_view()),
        "lists": pa.dictionary(pa.int32(), pa.list_(pa.int8())),
    }
    good = pa.schema(
        [
            ("id", pa.int64()),
            ("day", pa.date32()),
            ("nothing", pa.null()),
            ("tag", TAG),
            ("whole", pa.struct([pa.field("part", pa.int8(), nullable=False)])),
        ]
    )
    with pytest.raises(
        SourceError, match=r"Parquet cannot hold.*out with source\.columns$"
    ) as caught:
        OutputFormat(pa.schema([*good, *odd.items()]), False, "zstd").check_columns()
    for name, kind in odd.items():
        assert f"{name!r} ({kind})" in caught.value.message
    assert not any(f"'{name}'" in caught.value.message for name in good.names)
    OutputFormat(good, False, "zstd").check_columns()


@pytest.mark.parametrize("inner", ["x", 5, 0.5, [1], None])
@pytest.mark.parametrize("outer", ["y", 7, 1.5])
def test_a_struct_and_a_column_of_the_same_path_come_back(inner, outer):
    rows = [{"a": {"b": inner}, "a.b": outer, "n": number} for number in range(9)]
    table = pa.Table.from_pylist(rows)
    file = file_of(Encoding("parquet", "zstd"), table)
    assert decode(*file, table.schema).equals(table)
    dotted = pa.schema([table.schema.field("a.b")])
    assert decode(*file, dotted).equals(table.select(["a.b"]))


def test_a_json_line_is_utf_8_with_the_keys_in_order():
    lines = Encoding("jsonl", "none").encode(data(3)).decode("utf-8").split("\n")
    assert lines.pop() == ""
    rows = [json.loads(line) for line in lines]
    assert [list(row) for row in rows] == [output_format().data_schema.names] * 3
    assert '"speaker":"Böb"' in lines[2]
    assert '"source_text":"Line 2.\u2028"' in lines[2]


def test_numbers_that_json_lacks_become_null_and_a_score_is_read_as_nan():
    schema = pa.schema([("x", pa.list_(pa.float64())), pa.field("score", pa.float32(), False)])
    nan, inf = math.nan, math.inf
    table = pa.table([[[nan, 1.0], [-inf]], pa.array([inf, 0.5], pa.float32())], schema=schema)
    name, content = file_of(Encoding("jsonl", "none"), table)
    assert content == b'{"x":[null,1.0],"score":null}\n{"x":[null],"score":0.5}\n'
    back = decode(name, content, schema)
    assert back["x"].to_pylist() == [[None, 1.0], [None]]
    assert math.isnan(back["score"][0].as_py())


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file of three row groups: two sources, the second from the second group on."""
    numbers = list(range(ROW_GROUP_ROWS)) + list(range(2 * ROW_GROUP_ROWS))
    uris = ["a.srt"] * ROW_GROUP_ROWS + ["b.srt"] * 2 * ROW_GROUP_ROWS
    hashes = [f"{number * 2654435761 % 2**32:032x}" for number in range(3 * ROW_GROUP_ROWS)]
    table = pa.table(
        {
            "source_uri": pa.array(uris).cast(TAG),
            "source_row": pa.array(numbers, pa.int64()),
            "source_hash": hashes,
            "translation": hashes,
        }
    )
    path = tmp_path_factory.mktemp("file") / "x.parquet"
    path.write_bytes(Encoding("parquet", "zstd").encode(table))
    return path


class TestRowGroups:
    @pytest.mark.parametrize(
        ("condition", "groups"),
        [
            ("source_row = 40000", 1),
            ("source_row < 100", 2),
            ("source_uri = 'a.srt'", 1),
            ("source_uri = 'b.srt' and source_row < 100", 1),
        ],
    )
    def test_a_filter_reads_only_the_row_groups_that_can_hold_its_rows(
        self, path, condition, groups
    ):
        plan = duckdb.sql(
            f"explain analyze select translation from '{path}' where {condition}"
        ).fetchall()[0][1]
        assert f"Row Groups Scanned: {groups} / 3" in plan

    def test_arrow_and_so_ray_skips_them_too(self, path):
        import pyarrow.dataset as ds

        (fragment,) = ds.dataset(path).get_fragments()
        kept = fragment.subset(ds.field("source_row") == 40_000)
        assert [group.id for group in kept.row_groups] == [2]

    def test_every_row_group_has_statistics_and_indices(self, path):
        metadata = pq.read_metadata(path)
        assert metadata.num_row_groups == 3
        for index in range(3):
            group = metadata.row_group(index)
            columns = [group.column(number) for number in range(group.num_columns)]
            assert all(c.is_stats_set and c.has_column_index for c in columns)

    def test_a_dictionary_is_written_only_where_values_repeat(self, path):
        group = pq.read_metadata(path).row_group(0)
        encodings = {
            group.column(number).path_in_schema: group.column(number).encodings
            for number in range(group.num_columns)
        }
        assert "RLE_DICTIONARY" in encodings["source_uri"]
        assert "DELTA_BINARY_PACKED" in encodings["source_row"]
        assert "RLE_DICTIONARY" not in encodings["source_hash"]
        assert pq.read_schema(path).field("source_uri").type == TAG


def test_values_that_repeat_in_other_row_groups_only_get_no_dictionary():
    rows = list(range(ROW_GROUP_ROWS)) * 5
    table = pa.table({"source_hash": [f"{row:032x}" for row in rows]})
    file = pq.ParquetFile(pa.BufferReader(Encoding("parquet", "zstd").encode(table)))
    assert "RLE_DICTIONARY" not in file.metadata.row_group(4).column(0).encodings


def test_the_order_of_rows_is_stated_only_where_it_is_one():
    encoding = Encoding("parquet", "zstd")

    def order(table):
        metadata = pq.ParquetFile(pa.BufferReader(encoding.encode(table))).metadata
        columns = metadata.row_group(0).sorting_columns
        return [metadata.schema.column(column.column_index).path for column in columns]

    table = data()
    assert SOURCE.names[2] == "meta"  # nested columns before it have several leaves
    assert order(table) == ["source_row"]
    assert order(table.take(list(reversed(range(50))))) == []
    assert order(pa.concat_tables([table, table])) == []
