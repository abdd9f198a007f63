"""Whatever the file, the shard size and the limit: every row once, in order."""

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planning import plan_of, read_all

from aslbatch.shards.plan_file import plan_from_parquet, plan_to_parquet

quick = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SHARD_ROWS = st.integers(1, 12)
LIMITS = st.none() | st.integers(1, 30)
COMPRESSIONS = st.sampled_from(["", ".gz", ".zst"])
WORDS = st.text(alphabet="ab\",\t\r\0é\u2028\ufeff 😀\\'", max_size=6)
LINE_ENDS = st.sampled_from(["\n", "\r\n"])


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr("aslbatch.shards.formats.content.CHUNK_BYTES", 7)


def pack(data: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(data)
    return pa.compress(data, "zstd", asbytes=True) if ending == ".zst" else data


def read_in_shards(path: Path, shard_rows: int, limit: int | None) -> pa.Table:
    plan = plan_of(path, shard_rows=shard_rows, limit=limit)
    plan = plan_from_parquet(plan_to_parquet(plan))
    assert all(shard.rows == shard_rows for shard in plan.shards[:-1])
    table = read_all(plan)
    assert table["source_row"].to_pylist() == list(range(plan.rows))
    return table


@quick
@given(
    lines=st.lists(WORDS, min_size=1, max_size=40),
    line_end=LINE_ENDS,
    last=st.booleans(),
    ending=COMPRESSIONS,
    shard_rows=SHARD_ROWS,
    limit=LIMITS,
)
def test_text_shards_partition_the_lines(
    tmp_path, lines, line_end, last, ending, shard_rows, limit
):
    data = (line_end.join(lines) + (line_end if last or not lines[-1] else "")).encode()
    file = tmp_path / f"a.txt{ending}"
    file.write_bytes(pack(data, ending))
    expected = [line.removesuffix("\r") for line in data.decode().removesuffix("\n").split("\n")]
    expected[0] = expected[0].removeprefix("\ufeff")
    table = read_in_shards(file, shard_rows, limit)
    assert table["_text"].to_pylist() == expected[:limit]


@quick
@given(
    texts=st.lists(st.none() | WORDS | st.just("{broken"), min_size=1, max_size=40),
    line_end=LINE_ENDS,
    ending=COMPRESSIONS,
    shard_rows=SHARD_ROWS,
    limit=LIMITS,
    escape=st.booleans(),
)
def test_jsonl_shards_partition_the_lines(
    tmp_path, texts, line_end, ending, shard_rows, limit, escape
):
    texts = ["first", *texts]
    lines = [
        text if text == "{broken" else json.dumps({"text": text, "n": i}, ensure_ascii=escape)
        for i, text in enumerate(texts)
    ]
    file = tmp_path / f"a.jsonl{ending}"
    file.write_bytes(pack(line_end.join(lines).encode(), ending))
    table = read_in_shards(file, shard_rows, limit)
    broken = [text == "{broken" for text in texts]
    expected = [None if bad else text for text, bad in zip(texts, broken, strict=True)]
    assert table["_text"].to_pylist() == expected[:limit]
    numbers = [None if bad else i for i, bad in enumerate(broken)]
    assert table["n"].to_pylist() == numbers[:limit]


@quick
@given(
    rows=st.lists(st.lists(WORDS | st.just("two\nlines"), max_size=4), min_size=1, max_size=40),
    line_end=LINE_ENDS,
    ending=COMPRESSIONS,
    shard_rows=SHARD_ROWS,
    limit=LIMITS,
    tabs=st.booleans(),
    quoted=st.booleans(),
    bom=st.booleans(),
)
def test_csv_shards_partition_the_records(
    tmp_path, rows, line_end, ending, shard_rows, limit, tabs, quoted, bom
):
    if not quoted:
        # Outside quotes csv refuses a carriage return that does not end a line.
        rows = [[field.replace("\r", "") for field in row] for row in rows]
    stream = io.StringIO(newline="")
    delimiter = "\t" if tabs else ","
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([["text", "other"], *rows])
    content = stream.getvalue()
    file = tmp_path / f"a.{'tsv' if tabs else 'csv'}{ending}"
    file.write_bytes(pack(("\ufeff" * bom + content).encode(), ending))
    naive = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))[1:][:limit]
    table = read_in_shards(file, shard_rows, limit)
    good = [len(row) == 2 for row in naive]
    for index, name in enumerate(("text", "other")):
        expected = [row[index] if fits else None for row, fits in zip(naive, good, strict=True)]
        assert table[name].to_pylist() == expected
    reasons = [
        None if fits else "invalid_row" if row else "empty"
        for row, fits in zip(naive, good, strict=True)
    ]
    assert table["_reject_reason"].to_pylist() == reasons


@quick
@given(
    lines=st.lists(st.binary(max_size=8), min_size=1, max_size=30),
    shard_rows=SHARD_ROWS,
    name=st.sampled_from(["a.txt", "a.csv", "a.tsv"]),
)
def test_shard_size_does_not_change_how_arbitrary_bytes_are_read(tmp_path, lines, shard_rows, name):
    file = tmp_path / name
    file.write_bytes(b"text\n" + b"\n".join(lines) + b"\n")
    assert read_in_shards(file, shard_rows, None).to_pylist() == (
        read_in_shards(file, 1_000, None).to_pylist()
    )


@quick
@given(
    texts=st.lists(st.none() | WORDS, min_size=1, max_size=40),
    group_rows=st.integers(1, 15),
    batch_rows=st.integers(1, 15),
    shard_rows=SHARD_ROWS,
    limit=LIMITS,
)
def test_parquet_shards_partition_the_rows(
    tmp_path, texts, group_rows, batch_rows, shard_rows, limit
):
    file = tmp_path / "a.parquet"
    source = pa.table(
        {"text": pa.array(texts, pa.string()), "m": [{"i": [i]} for i in range(len(texts))]}
    )
    pq.write_table(source, file, row_group_size=group_rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aslbatch.shards.formats.parquet.BATCH_ROWS", batch_rows)
        table = read_in_shards(file, shard_rows, limit)
    assert table["_text"].to_pylist() == texts[:limit]
    assert table.select(["text", "m"]).to_pylist() == source.to_pylist()[:limit]
