"""Whatever cues are written, the same are read; whatever bytes are read, nothing breaks."""

import gzip
from pathlib import Path

import pysubs2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planning import plan_of, read_all

from aslbatch.errors import SourceError
from aslbatch.shards.reading import Reading

quick = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEN_HOURS_MS = 36_000_000
TIMES = st.integers(0, TEN_HOURS_MS // 10 - 2).map(lambda centiseconds: centiseconds * 10)
LINES = st.text(alphabet="ab1 2,.:-'\"!#é😀", min_size=1, max_size=12).map(str.strip).filter(bool)
TEXTS = st.lists(LINES, min_size=1, max_size=3).map("\n".join)
CUES = st.lists(st.tuples(TIMES, TIMES, TEXTS), min_size=1, max_size=20)

# What pysubs2 does not write: markup as it is, odd white space, any time, careless layouts.
ODD_TEXTS = st.text(alphabet="ab1\n {}\\<>i/&;-é\u2028\x0b\x85\ufeff😀", max_size=20).filter(
    lambda text: "-->" not in text
)
ODD_CUES = st.lists(
    st.tuples(st.integers(-TEN_HOURS_MS, 10**9), st.integers(-1_000, 10**9), ODD_TEXTS),
    min_size=1,
    max_size=20,
)
PIECES = st.sampled_from(
    [
        *(b"\n", b"\r\n", b"\r", b"\n\n", b"1\n", b" ", b"\0", b"-->", b"00:01.000", b"WEBVTT\n"),
        *(b"00:00:01,000 --> 00:00:02,000\n", b"-0:0:1 --> 9999:59:59,9\n", b"1\n00:xx --> 00\n"),
        *(b"[Script Info]\n", b"[Events]\n", b"Format: Text, Start\n", b"Format: Start, Text\n"),
        *(b"Dialogue: ", b"Dialogue: 0,0:00:01.00,0:00:02.00,x,N,0,0,0,,text\n", b"Comment: ,"),
        *(
            b"NOTE\n",
            b"<v A>",
            b"JOHN: ",
            b"{\\an8}",
            b"\\N",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"\xe9",
        ),
    ]
)
BYTES = st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=3), max_size=30).map(
    b"".join
)


def read_in_shards(path: Path, shard_rows: int, limit: int | None = None) -> list[dict]:
    reading = Reading(subtitle_rows="cue")
    plan = plan_of(path, shard_rows=shard_rows, limit=limit, reading=reading)
    rows = read_all(plan, reading).to_pylist()
    assert [row["source_row"] for row in rows] == list(range(plan.rows))
    assert [row["first_cue"] for row in rows] == list(range(1, plan.rows + 1))
    return rows


def cues_of(rows: list[dict]) -> list[tuple]:
    return [(row["start_ms"], row["end_ms"], row["text"]) for row in rows]


@quick
@given(
    cues=CUES,
    ending=st.sampled_from(["srt", "vtt", "ass", "ssa"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    shard_rows=st.integers(1, 12),
    limit=st.none() | st.integers(1, 20),
)
def test_what_pysubs2_writes_is_read(tmp_path, cues, ending, encoding, line_end, shard_rows, limit):
    written = pysubs2.SSAFile()
    for start, end, text in cues:
        event = pysubs2.SSAEvent(start=start, end=end, text=text.replace("\n", "\\N"))
        written.events.append(event)
    file = tmp_path / f"a.{ending}"
    content = written.to_string(ending).replace("\n", line_end)
    file.write_bytes(content.encode(encoding))
    # pysubs2 writes WebVTT in the order of time.
    expected = sorted(cues, key=lambda cue: cue[0]) if ending == "vtt" else cues
    assert cues_of(read_in_shards(file, shard_rows, limit)) == expected[:limit]


def srt_time(ms: int) -> str:
    seconds, rest = divmod(abs(ms), 1_000)
    sign = "-" if ms < 0 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"


def without_blank_ends(text: str) -> str:
    lines = text.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)


@quick
@given(
    cues=ODD_CUES,
    between=st.sampled_from(["\n", "\n\n", "\n\n\n \n"]),
    arrow=st.sampled_from([" --> ", "-->", "  -->\t"]),
    packed=st.booleans(),
    shard_rows=st.integers(1, 12),
)
def test_odd_srt_is_read_as_written(tmp_path, cues, between, arrow, packed, shard_rows):
    content = between.join(
        f"{number}\n{srt_time(start)}{arrow}{srt_time(end)}\n{text}"
        for number, (start, end, text) in enumerate(cues, 1)
    )
    file = tmp_path / ("a.srt.gz" if packed else "a.srt")
    file.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    expected = [(start, end, without_blank_ends(text)) for start, end, text in cues]
    assert cues_of(read_in_shards(file, shard_rows)) == expected


@settings(quick, max_examples=300)
@given(
    data=BYTES.filter(bool),
    ending=st.sampled_from(["srt", "vtt", "ass", "ssa"]),
    shard_rows=st.integers(1, 5),
)
def test_any_bytes_give_rows_or_an_error_that_names_the_file(tmp_path, data, ending, shard_rows):
    file = tmp_path / f"a.{ending}"
    file.write_bytes(data)
    try:
        rows = read_in_shards(file, 1_000)
    except SourceError as error:
        if file.name not in error.message:
            raise
        return
    assert read_in_shards(file, shard_rows) == rows
    for row in rows:
        rejected = row["_reject_reason"] is not None
        assert (row["text"] is None) == (row["_text"] is None) == rejected
