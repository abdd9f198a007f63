"""Translation memories: one unit a row, one column a language."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planning import plan_of, read_all

from aslbatch.errors import SourceError
from aslbatch.shards.formats import tmx, units
from aslbatch.shards.reading import Reading

HEAD = '<tmx version="1.4"><header srclang="en" datatype="plaintext"/><body>'
ENGLISH = Reading(text_column="en")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tuv(language: str, segment: str, name: str = "xml:lang") -> str:
    return f'<tuv {name}="{language}"><seg>{segment}</seg></tuv>'


def tu(*variants: str, tuid: str = "") -> str:
    return f"<tu{tuid and f' tuid={tuid!r}'}>{''.join(variants)}</tu>"


def write(*unit: str, before: str = "", encoding: str = "utf-8", name: str = "a.tmx") -> str:
    data = f"{before}{HEAD}\n{'<!-- <tu> --> '.join(unit)}\n</body></tmx>\n".encode(encoding)
    Path(name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    return name


def read(name: str = "a.tmx", shard_rows: int = 2, reading: Reading = ENGLISH, **kwargs):
    return read_all(plan_of(name, shard_rows=shard_rows, reading=reading, **kwargs), reading)


@pytest.mark.parametrize("shard_rows", [1, 2, 1_000])
@pytest.mark.parametrize("name", ["a.tmx", "a.tmx.gz"])
def test_languages_are_columns_and_units_rows(shard_rows, name):
    write(
        tu(tuv("en", "one"), tuv("fr-CA", "un"), tuid="x1"),
        tu(tuv("fr-CA", "deux")),
        "<tu/>",
        tu(tuv("EN", "three", name="lang"), tuv("en", "drei")),
        tu(tuv("en", ""), "<note>no text</note><prop type='x'>nor this</prop>"),
        name=name,
    )
    table = read(name, shard_rows)
    assert table.column_names[:4] == ["EN", "en", "fr-CA", "tuid"]
    assert table.select(["EN", "en", "fr-CA", "tuid", "_reject_reason"]).to_pylist() == [
        dict(zip(("EN", "en", "fr-CA", "tuid", "_reject_reason"), row, strict=True))
        for row in [
            (None, "one", "un", "x1", None),
            (None, None, "deux", None, "empty"),
            (None, None, None, None, "empty"),
            ("three", "drei", None, None, None),
            (None, "", None, None, None),
        ]
    ]
    assert table["_text"].to_pylist() == table["en"].to_pylist()


def test_a_language_that_is_not_there_lists_those_that_are():
    write(tu(tuv("en-US", "a"), tuv("de", "b")))
    with pytest.raises(SourceError, match=r"no column 'en'; .* one of 'de', 'en-US', 'tuid'"):
        read()


def test_the_first_of_several_segments_in_one_language_counts():
    write(tu(tuv("en", "first"), tuv("en", "second")))
    assert read()["_text"].to_pylist() == ["first"]


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ('<bpt i="1">&lt;b></bpt>bold<ept i="1">&lt;/b></ept> plain', "bold plain"),
        ("a <hi type='x'>marked <hi>twice</hi></hi> word", "a marked twice word"),
        ('a<ph>{0}<sub>title of <ph>{1}</ph> a picture</sub></ph>b', "ab"),
        ('a<it pos="begin">&lt;i></it>b<ut>{\\b}</ut>c', "abc"),
        ('one<ph type="lb">&lt;br/></ph>two', "one\ntwo"),
        ("<g id='1'>kept</g>", "kept"),
        ("a &amp; b &lt;c&gt; &#233; <![CDATA[<d> & e]]>", "a & b <c> é <d> & e"),
    ],
)  # fmt: skip
def test_inline_codes_are_left_out(segment, text):
    write(tu(tuv("en", segment)))
    assert read()["_text"].to_pylist() == [text]


@pytest.mark.parametrize("doctype", ["", '<!DOCTYPE tmx SYSTEM "tmx14.dtd">'])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252"],
)
def test_encodings_are_those_that_the_file_declares(encoding, doctype):
    name = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    name = "utf-16" if name.startswith("utf-16") else name
    texts = ["café", "naïve", "Ü ß", "x"]
    units = [tu(tuv("en", text)) for text in texts]
    write(*units, before=f'<?xml version="1.0" encoding="{name}"?>{doctype}', encoding=encoding)
    for shard_rows in (1, 3, 1_000):
        assert read(shard_rows=shard_rows)["_text"].to_pylist() == texts


def test_without_a_declaration_a_file_is_utf8():
    write(tu(tuv("en", "café 😀")))
    assert read()["_text"].to_pylist() == ["café 😀"]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ('<!DOCTYPE tmx [<!ENTITY a "b">]><tmx/>', "declarations in the DOCTYPE"),
        ('<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]><tmx/>', "in the DOCTYPE"),
        ('<!DOCTYPE tmx [<!ENTITY % p SYSTEM "http://x/">%p;]><tmx/>', "in the DOCTYPE"),
        (f'<!DOCTYPE tmx SYSTEM "t">{HEAD}{tu(tuv("en", "&nbsp;"))}', "entity &nbsp; is not def"),
        (f"{HEAD}{tu(tuv('en', '&nbsp;'))}", "line 1, column .*: not well-formed XML"),
        (f"{HEAD}<tu>\n</tuv>", "line 2, column 2: not well-formed XML: mismatched tag"),
        (f"{HEAD}</body>", "no element found"),
        ("<html/>", "no <body> in a <tmx>"),
        (f"{HEAD}</body><body></body></tmx>", "a second <body>"),
        ("<a>" * 101, "nested deeper than 100 levels"),
        (f"{HEAD}{tu(tuv('e' * 65, 'x'))}", "is no language"),
        ("\0", "not well-formed XML"),
        ('<?xml version="1.0" encoding="big5"?><tmx/>', "not well-formed XML: .*encoding"),
        ('<?xml version="1.0" encoding="nonsense"?><tmx/>', "not well-formed XML: .*encoding"),
    ],
)
def test_what_is_not_to_be_read_is_an_error_that_names_the_place(data, fault):
    Path("a.tmx").write_text(data)
    with pytest.raises(SourceError, match=rf"(?s)^a\.tmx: line \d+, column \d+: .*{fault}|{fault}"):
        read()


def test_a_thousand_languages_are_too_many():
    write(*(tu(tuv(f"l{n}", "x")) for n in range(tmx.MOST_LANGUAGES + 1)))
    with pytest.raises(SourceError, match="more than 500 languages"):
        read()


@pytest.mark.parametrize(
    "content",
    [tu(tuv("en", "x" * 3_000)), f"<!-- {'x' * 3_000} -->", f"<tu tuid='{'x' * 3_000}'/>"],
)
def test_a_unit_of_many_megabytes_is_refused(content, monkeypatch):
    monkeypatch.setattr(units, "MOST_UNIT_BYTES", 2_000)
    monkeypatch.setattr("aslbatch.shards.formats.content.CHUNK_BYTES", 100)
    write(content)
    with pytest.raises(SourceError, match="of more than"):
        read()


def test_a_long_header_and_many_units_are_none(monkeypatch):
    monkeypatch.setattr(units, "MOST_UNIT_BYTES", 2_000)
    monkeypatch.setattr("aslbatch.shards.formats.content.CHUNK_BYTES", 100)
    write("<note>" + "word " * 1_000 + "</note>", *([tu(tuv("en", "x"))] * 100))
    assert read(shard_rows=30)["_text"].to_pylist() == ["x"] * 100


def test_a_file_without_units_has_no_rows_beside_others():
    write(name="empty.tmx")
    write(tu(tuv("en", "x")))
    assert read(".")["_text"].to_pylist() == ["x"]
    with pytest.raises(SourceError, match="there are no rows"):
        read("empty.tmx")


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
def test_a_limit_stops_at_a_unit(limit):
    texts = [f"t{n}" for n in range(5)]
    write(*(tu(tuv("en", text)) for text in texts))
    assert read(limit=limit)["_text"].to_pylist() == texts[:limit]


SEGMENTS = st.text(alphabet="ab é😀\n", max_size=8) | st.sampled_from(["<ph/>", "<hi>b</hi>"])
UNITS = st.lists(st.dictionaries(st.sampled_from(["en", "fr", "de"]), SEGMENTS), max_size=20)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    memory=UNITS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    name=st.sampled_from(["a.tmx", "a.tmx.gz"]),
    shard_rows=st.integers(1, 8),
    limit=st.none() | st.integers(1, 15),
)
def test_shards_partition_the_units(memory, encoding, name, shard_rows, limit):
    memory = [{"en": "first"}, *memory]
    write(
        *(tu(*(tuv(*item) for item in unit.items()), tuid=f"{n}") for n, unit in enumerate(memory)),
        encoding=encoding,
        name=name,
    )
    table = read(name, shard_rows, limit=limit)
    assert table["tuid"].to_pylist() == [f"{n}" for n in range(len(memory))][:limit]
    plain = {"<ph/>": "", "<hi>b</hi>": "b"}
    expected = [unit.get("en") for unit in memory][:limit]
    assert table["_text"].to_pylist() == [plain.get(text, text) for text in expected]
