import gzip
import time
from pathlib import Path

import pyarrow as pa
import pytest
from planning import plan_of, read_all

from aslbatch.errors import SourceError
from aslbatch.schema import RejectReason
from aslbatch.shards.formats import subtitles
from aslbatch.shards.formats.cues import parse_cues
from aslbatch.shards.plan import Plan
from aslbatch.shards.reading import Reading
from aslbatch.shards.sources import list_sources
from aslbatch.text.normalize import NormalizeRules, examine, normalize

Row = tuple[str | None, int | None, int | None, str | None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


CUES = Reading(subtitle_rows="cue")


def plan(path=".", **options) -> Plan:
    return plan_of(path, reading=CUES, **options)


def rows_of(name: str, content: str | bytes, **options) -> list[Row]:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_all(plan(name, **options))
    count = table.num_rows
    assert table["first_cue"].to_pylist() == list(range(1, count + 1))
    assert table["source_row"].to_pylist() == list(range(count))
    assert table["text"].to_pylist() == table["_text"].to_pylist()
    columns = [table[name].to_pylist() for name in ("text", "start_ms", "end_ms", "speaker")]
    return list(zip(*columns, strict=True))


SRT = """1
00:00:01,000 --> 00:00:02,500
Hello.

2
00:01:00,020 --> 01:00:00,003
two
lines
"""
VTT = """WEBVTT - a title
Kind: captions

STYLE
::cue { color: red }

REGION
id:fred

NOTE
a note over
two lines

1
00:01.000 --> 00:02.500 align:start position:0%
Hello.

NOTE one line

the second
00:01:00.020 --> 01:00:00.003
two
lines

NOTE the end
"""
ASS = r"""[Script Info]
; Dialogue of a comment
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial,not,a,number

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Hello.
Comment: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,not a cue
Dialogue: 0,0:01:00.02,1:00:00.003,Default,,bad,,0,,two\Nlines

[Fonts]
fontname: x.ttf
!!!!
"""
SSA = ASS.replace("Layer", "Marked").replace("Dialogue: 0", "Dialogue: Marked=0")
PLAIN = [("Hello.", 1_000, 2_500, None), ("two\nlines", 60_020, 3_600_003, None)]
FILES = {"a.srt": SRT, "a.vtt": VTT, "a.ass": ASS, "a.ssa": SSA}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("shard_rows", [1, 1_000])
@pytest.mark.parametrize("name", FILES)
def test_a_cue_is_a_row(name, shard_rows, line_end):
    content = FILES[name].replace("\n", line_end).encode()
    assert rows_of(name, content, shard_rows=shard_rows) == PLAIN


@pytest.mark.parametrize("name", FILES)
def test_all_kinds_have_the_same_columns(name):
    Path(name).write_text(FILES[name])
    assert plan(name).schema.equals(
        pa.schema(
            [
                ("text", pa.string()),
                ("first_cue", pa.int32()),
                ("last_cue", pa.int32()),
                ("start_ms", pa.int64()),
                ("end_ms", pa.int64()),
                ("speaker", pa.string()),
            ]
        )
    )


@pytest.mark.parametrize("ending", ["gz", "zst"])
@pytest.mark.parametrize("name", FILES)
def test_compressed_reads_as_plain(name, ending):
    pack = gzip.compress if ending == "gz" else lambda data: pa.compress(data, "zstd", asbytes=True)
    assert rows_of(f"{name}.{ending}", pack(FILES[name].encode()), shard_rows=1) == PLAIN


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.srt", VTT), ("a.srt", ASS), ("a.vtt", SRT), ("a.vtt", SSA), ("a.ass", VTT)],
)
def test_file_with_the_wrong_ending_is_read(name, content):
    assert rows_of(name, content) == PLAIN


@pytest.mark.parametrize(("wanted", "content"), [("srt", SRT), ("vtt", VTT), ("ass", SSA)])
def test_format_may_be_given(wanted, content):
    assert rows_of("a.bin", content, wanted=wanted) == PLAIN


def test_limit_and_columns():
    Path("a.srt").write_text(SRT)
    table = read_all(plan(limit=1, columns=["end_ms"]))
    assert table.column_names[:2] == ["end_ms", "_text"]
    assert table.select(["end_ms", "_text"]).to_pylist() == [{"end_ms": 2_500, "_text": "Hello."}]


def test_mixed_folder_unifies():
    for name, content in FILES.items():
        Path(name).write_text(content)
    Path("b.jsonl").write_text('{"text": "json", "first_cue": 7000000000}\n')
    Path("c.txt").write_text("line\n")
    table = read_all(plan())
    assert table["source_uri"].to_pylist() == [
        *("a.ass", "a.ass", "a.srt", "a.srt", "a.ssa", "a.ssa", "a.vtt", "a.vtt"),
        *("b.jsonl", "c.txt"),
    ]
    assert table["_text"].to_pylist() == ["Hello.", "two\nlines"] * 4 + ["json", "line"]
    assert table["first_cue"].to_pylist() == [1, 2] * 4 + [7_000_000_000, None]


SPEECH = "\u201cJos\u00e9\u2019s caf\u00e9\u201d \u2014 \u20ac5"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("cp1252", b""),
    ],
)
@pytest.mark.parametrize("name", FILES)
def test_encodings(name, encoding, mark):
    content = mark + FILES[name].replace("Hello.", SPEECH).replace("\n", "\r\n").encode(encoding)
    assert rows_of(name, content) == [(SPEECH, 1_000, 2_500, None), PLAIN[1]]


def test_lines_in_another_encoding_do_not_spoil_the_rest():
    content = SRT.replace("Hello.", "caf\u00e9").encode() + b"\nfa\xe7ade \x81\n"
    assert [row[0] for row in rows_of("a.srt", content)] == [
        "caf\u00e9",
        "two\nlines\n\nfa\u00e7ade \x81",
    ]


def test_utf16_that_is_cut_off_loses_its_last_character_only():
    content = ("\ufeff" + SRT.rstrip()).encode("utf-16-le")[:-1]
    assert rows_of("a.srt", content)[1][0] == "two\nline\ufffd"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(
            "1\n00:00:01,000 --> 00:00:02,000\nA\n2\n00:00:03,000 --> 00:00:04,000\nB\n"
            "00:00:05,000 --> 00:00:06,000\nC",
            [("A", 1_000, 2_000, None), ("B", 3_000, 4_000, None), ("C", 5_000, 6_000, None)],
            id="no blank lines, no number",
        ),
        pytest.param(
            "\n\n7\n00:00:01,000 --> 00:00:02,000\n\nA\n\n \nstill A\n\n\n\n"
            "7\n00:00:00,500 --> 00:00:09,000\nB\n\n",
            [("A\n\n \nstill A", 1_000, 2_000, None), ("B", 500, 9_000, None)],
            id="blank lines inside, overlap, numbers repeat",
        ),
        pytest.param(
            "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\n"
            "3\n00:00:05,000 --> 00:00:06,000\n  \n",
            [("", 1_000, 2_000, None), ("", 3_000, 4_000, None), ("", 5_000, 6_000, None)],
            id="empty cues",
        ),
        pytest.param(
            "1\n-00:00:01,000 --> 00:00:-02,-500\nA\n\n2\n00:00:09,000 --> 00:00:03,000\nB\n",
            [("A", -1_000, -2_500, None), ("B", 9_000, 3_000, None)],
            id="negative and reversed",
        ),
        pytest.param(
            "1\n 0:0:1,5-->00:00:02.04  X1:1 X2:2\nA\n\n2\n00:03 --> 100:00:04,1239\nB\n\n"
            "3\n00:00:05:250 --> 00: 00: 06, 000\nC\n",
            [("A", 1_500, 2_040, None), ("B", 3_000, 360_004_123, None), ("C", 5_250, 6_000, None)],
            id="times written in many ways",
        ),
        pytest.param(
            "1\n00:00:01,000 --> 00:00:02,000\nI am\n42\n\n2\n00:00:3x,000 --> ??\n1984\n\n"
            "3\n00:00:05,000 --> 00:00:06,000\na --> b\n7",
            [
                ("I am\n42", 1_000, 2_000, None),
                ("1984", None, None, None),
                ("a --> b\n7", 5_000, 6_000, None),
            ],
            id="numbers and arrows as text, times that cannot be read",
        ),
        pytest.param(
            "junk before\n1\n00:00:01,000 --> 00:00:02,000\n"
            "{\\an8}<i>Tom &amp;\n<font color=red>J</font></i>\n",
            [("{\\an8}<i>Tom &amp;\n<font color=red>J</font></i>", 1_000, 2_000, None)],
            id="markup is kept as written",
        ),
        pytest.param(
            "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>- MAN 2: Hi</i>\n\n"
            "2\n00:00:01,000 --> 00:00:02,000\nNote: no\n\n"
            "3\n00:00:01,000 --> 00:00:02,000\nWARNING: no\n\n"
            "4\n00:00:01,000 --> 00:00:02,000\n10:30 no\n\n"
            "5\n00:00:01,000 --> 00:00:02,000\n>> JOS\u00c9 O'NEIL:\nyes\n",
            [
                ("{\\an8}<i>- MAN 2: Hi</i>", 1_000, 2_000, "MAN 2"),
                ("Note: no", 1_000, 2_000, None),
                ("WARNING: no", 1_000, 2_000, None),
                ("10:30 no", 1_000, 2_000, None),
                (">> JOS\u00c9 O'NEIL:\nyes", 1_000, 2_000, "JOS\u00c9 O'NEIL"),
            ],
            id="speakers",
        ),
        pytest.param("1\n00:00:01,000 --> 00:00:02,000", [("", 1_000, 2_000, None)], id="cut off"),
        pytest.param(
            "1\n00:00:01,000 --> 00:00:02,000\n\0a\x0b\u2028b\x85c\n",
            [("a\x0b\u2028b\x85c", 1_000, 2_000, None)],
            id="only line feeds end lines",
        ),
    ],
)
def test_srt(content, rows):
    assert rows_of("a.srt", content) == rows
    assert rows_of("b.srt", content.replace("\n", "\r\n"), shard_rows=1) == rows


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(
            "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n \nhe<00:00:00.500><c> l</c>"
            "<00:00:01.000><c> o</c>\n\n00:00:02.000 --> 00:00:02.010\nhe l o\n \n",
            [
                ("he<00:00:00.500><c> l</c><00:00:01.000><c> o</c>", 0, 2_000, None),
                ("he l o", 2_000, 2_010, None),
            ],
            id="word timing, rolling",
        ),
        pytest.param(
            "WEBVTT\n\n00:01.000 --> 00:02.000\n<v.loud Mary &amp; Bob>Hi\n\n"
            "00:01.000 --> 00:02.000\n<v>Hi\n\nintro\n00:01.000 --> 00:02.000\nMARY: Hi\n\nend",
            [
                ("<v.loud Mary &amp; Bob>Hi", 1_000, 2_000, "Mary & Bob"),
                ("<v>Hi", 1_000, 2_000, None),
                ("MARY: Hi", 1_000, 2_000, "MARY"),
            ],
            id="voices, identifiers",
        ),
        pytest.param(
            "WEBVTT\n\n00:01.000 --> 00:02.000\nA\n00:03.000 --> 00:04.000\n\nNOTE\nno\n\n"
            "1\n00:09.000 --> 00:05.000\nB\n2\n00:00:00.000 --> 00:00:00.001\n",
            [
                ("A", 1_000, 2_000, None),
                ("", 3_000, 4_000, None),
                ("B", 9_000, 5_000, None),
                ("", 0, 1, None),
            ],
            id="no blank lines, empty cues, reversed",
        ),
        pytest.param(
            "00:01.000 --> 00:02.000\nno header",
            [("no header", 1_000, 2_000, None)],
            id="no header",
        ),
    ],
)
def test_vtt(content, rows):
    assert rows_of("a.vtt", content) == rows


def events(*lines: str, head: str = "") -> str:
    return "[Script Info]\n[Events]\n" + head + "".join(f"Dialogue: {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(
            events(
                r"0,-0:00:01.00,0:00:00.50,x, Mary ,0,0,0,,{\an8\i1}one, two\N{\i0}\hthree\nfour",
                "0,0:00:03.00,0:00:02.00,x,,0,0,0,,BOB: hi",
                "0,0:00:03.00,0:00:03.00,x,,0,0,0,,",
                "0,soon,0:00:03.00,x,,0,0,0,,when",
            ),
            [
                ("{\\an8\\i1}one, two\n{\\i0}\u00a0three\nfour", -1_000, 500, "Mary"),
                ("BOB: hi", 3_000, 2_000, "BOB"),
                ("", 3_000, 3_000, None),
                ("when", None, 3_000, None),
            ],
            id="names, breaks, negative, reversed, empty, unreadable time",
        ),
        pytest.param(
            events("0:00:01.00,0:00:02.00,Mary,a, b", head="Format: Start, End, Actor, Text\n"),
            [("a, b", 1_000, 2_000, "Mary")],
            id="fields of the format line",
        ),
    ],
)
def test_ass(content, rows):
    assert rows_of("a.ass", content) == rows


def test_dialogue_with_too_few_fields_is_rejected():
    Path("a.ass").write_text(events("0,0:00:01.00,oops", "0,0:00:01.00,0:00:02.00,x,,0,0,0,,ok"))
    table = read_all(plan())
    assert table["_text"].to_pylist() == [None, "ok"]
    assert table["_reject_reason"].to_pylist() == ["invalid_row", None]
    assert "has 3 fields, expected 10" in table["_reject_detail"][0].as_py()
    assert table["first_cue"].to_pylist() == [1, 2]


def test_empty_cue_is_rejected_as_empty_and_a_drawing_as_markup():
    rules = NormalizeRules()
    for text, reason in [("", RejectReason.EMPTY), ("{\\p1}m 0 0 l 9 0", RejectReason.MARKUP_ONLY)]:
        found = examine(text, normalize(text, rules), rules)
        assert found is not None
        assert found[0] == reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.srt", b"\r\n \n"),
        ("b.vtt", b"WEBVTT\n\nNOTE nothing\n"),
        ("b.ass", ASS.partition("Dialogue: 0")[0].encode()),
        ("b.srt", b"\xef\xbb\xbf"),
    ],
)
def test_file_without_cues_has_no_rows(name, content):
    Path("a.srt").write_text(SRT)
    Path(name).write_bytes(content)
    assert [piece.source.uri for shard in plan().shards for piece in shard.pieces] == ["a.srt"]
    Path("a.srt").unlink()
    with pytest.raises(SourceError, match=f"there are no rows in {name}"):
        plan()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content", [b"Just a letter.\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff", b"a --> b\n"]
)
def test_file_that_is_no_subtitle_is_an_error_that_names_it(name, content):
    Path(name).write_bytes(content)
    with pytest.raises(SourceError, match=rf"{name}: no subtitles in it"):
        plan()


def test_damaged_compression_is_an_error_that_names_the_file():
    Path("a.srt.gz").write_bytes(gzip.compress(SRT.encode() * 100)[:-20])
    with pytest.raises(SourceError, match=r"a\.srt\.gz: cannot be read"):
        plan()


def test_file_that_unpacks_to_too_much_is_an_error(monkeypatch):
    monkeypatch.setattr(subtitles, "MAX_FILE_BYTES", 1 << 20)
    Path("a.srt.gz").write_bytes(gzip.compress(SRT.encode() * 20_000))
    with pytest.raises(SourceError, match=r"a\.srt\.gz: more than 1 MiB of subtitles"):
        plan()


def test_text_column_named_like_a_column_of_cues_is_an_error():
    Path("a.srt").write_text(SRT)
    [source] = list_sources(["a.srt"], storage_options={})
    with pytest.raises(SourceError, match="more than one column is named 'speaker'"):
        subtitles.scan(source, reading=Reading("speaker"), mark_every=1, limit=None)


@pytest.mark.parametrize(
    "piece",
    [
        *("\n", "\n1", "[", "<", "<v ", "<v x", "{\\", "A", "A ", "-", ">>", "0:", "-->", " "),
        *("00:00:01,000 --> ", "00:00:01,000 --> 00:00:02,000\n", "1\n-->\n", "Dialogue:", ","),
        *("Dialogue: ,\n", "\\N", "&", "\r", "\0", "Format:"),
    ],
)
def test_megabyte_takes_linear_time(piece):
    started = time.process_time()
    text = piece * (500_000 // len(piece))
    timing = "00:00:01,000 --> 00:00:02,000\n"
    for whole in (text, timing + text, timing + text + "\n" + timing, events("0,,,,,,,,," + text)):
        for kind in ("srt", "vtt", "ass"):
            parse_cues(whole, kind)
    # Quadratic time would be minutes at the least.
    assert time.process_time() - started < 20
