"""Archives are read in place, each of their files once, and hostile ones are refused."""

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from planning import plan_of, read_all

from aslbatch.errors import SourceError
from aslbatch.shards.reading import Reading
from aslbatch.shards.sources import list_sources

KINDS = ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.zst"]
SRT = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pack(name: str, files: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for inside, data in files.items():
                archive.writestr(inside, data)
    else:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for inside, data in files.items():
                info = tarfile.TarInfo(inside)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    data = buffer.getvalue()
    if name.endswith("gz"):
        data = gzip.compress(data)
    if name.endswith(".zst"):
        data = pa.compress(data, "zstd", asbytes=True)
    Path(name).write_bytes(data)


def rows(table: pa.Table) -> list[tuple[str, int, str]]:
    columns = (table[name].to_pylist() for name in ("source_uri", "source_row", "_text"))
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("shard_rows", [1, 3, 100])
def test_files_of_an_archive_are_sources_in_the_order_in_which_they_lie(name, shard_rows):
    pack(
        name,
        {
            "z/one.srt": SRT.format("One.").encode(),
            "a/two.srt.gz": gzip.compress(SRT.format("Two.").encode()),
            "notes.docx": b"not read",
            "__MACOSX/._one.srt": b"hidden",
            "lines.txt": b"three\nfour\nfive\n",
            "empty.txt": b"",
            "six.jsonl": b'{"text": "six"}\n',
        },
    )
    kind = "zip" if name == "a.zip" else "tar"
    assert rows(read_all(plan_of(shard_rows=shard_rows))) == [
        (f"{kind}://z/one.srt::{name}", 0, "One."),
        (f"{kind}://a/two.srt.gz::{name}", 0, "Two."),
        (f"{kind}://lines.txt::{name}", 0, "three"),
        (f"{kind}://lines.txt::{name}", 1, "four"),
        (f"{kind}://lines.txt::{name}", 2, "five"),
        (f"{kind}://six.jsonl::{name}", 0, "six"),
    ]


@pytest.mark.parametrize("name", KINDS)
def test_large_files_are_streamed_and_read_in_any_order(name, monkeypatch):
    monkeypatch.setattr("aslbatch.shards.open_archive._HELD_BYTES", 10)
    files = {f"{n}.txt": b"".join(b"%d-%d\n" % (n, row) for row in range(50)) for n in range(3)}
    pack(name, files)
    made = plan_of(shard_rows=20)
    table = read_all(made)
    assert table["_text"].to_pylist() == [f"{n}-{row}" for n in range(3) for row in range(50)]
    backwards = type(made)(made.shards[::-1], made.schema, made.fingerprints)
    assert sorted(rows(read_all(backwards))) == sorted(rows(table))


def test_a_pattern_names_files_whose_endings_say_nothing():
    pack("a.zip", {"t.en-fr.en": b"hello\n", "t.en-fr.fr": b"salut\n", "README": b"about\n"})
    with pytest.raises(SourceError, match=r"a\.zip: no file with a known ending in this archive"):
        plan_of("a.zip")
    made = plan_of("zip://*.en::a.zip", wanted="text")
    assert rows(read_all(made)) == [("zip://t.en-fr.en::a.zip", 0, "hello")]


def test_chains_of_other_kinds_are_refused():
    with pytest.raises(SourceError, match="of chained URLs only"):
        list_sources(["simplecache::s3://bucket/a.txt"], storage_options={})


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("inside", ["../up.txt", "/etc/x.txt", "a/../../b.txt", "C:\\x.txt"])
def test_a_name_that_leads_out_of_the_archive_is_refused(name, inside):
    pack(name, {"good.txt": b"hello\n", inside: b"evil\n"})
    with pytest.raises(SourceError, match="which leads out of the archive"):
        plan_of()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(name):
    buffer = io.BytesIO()
    if name == "a.zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("x.txt", "one")
            archive.writestr("x.txt", "two")
        Path(name).write_bytes(buffer.getvalue())
    else:
        pack(name, {"x.txt": b"one", "./x.txt": b"two"})
    with pytest.raises(SourceError, match=r"2 files in it are named 'x\.txt'"):
        plan_of()


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.zst"])
def test_a_decompression_bomb_is_refused(name, monkeypatch):
    monkeypatch.setattr("aslbatch.shards.archives.FREE_BYTES", 1 << 16)
    pack(name, {"bomb.txt": b"\0" * (1 << 22)})
    with pytest.raises(SourceError, match="as in a decompression bomb"):
        plan_of()


def test_files_that_overlap_are_refused():
    pack("a.zip", {"x.txt": os.urandom(1 << 16), "y.txt": b"small"})
    data = bytearray(Path("a.zip").read_bytes())
    # The second entry of the central directory is made to claim the bytes of the first.
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 20 : second + 28] = data[first + 20 : first + 28]
    Path("a.zip").write_bytes(bytes(data))
    with pytest.raises(SourceError, match="files overlap in it"):
        plan_of()


def test_an_encrypted_file_is_refused():
    pack("a.zip", {"x.txt": b"hello\n"})
    data = bytearray(Path("a.zip").read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    Path("a.zip").write_bytes(bytes(data))
    with pytest.raises(SourceError, match="is encrypted; unpack it"):
        plan_of()


def tar_of(*names: str) -> bytes:
    pack("part.tar", dict.fromkeys(names, b"hello\n" * 3))
    data = Path("part.tar").read_bytes()
    Path("part.tar").unlink()
    return data


DAMAGED = {
    "cut before a header": lambda data: data[:2048],
    "cut in a header": lambda data: data[: 2048 + 100],
    "a header with a flipped byte": lambda data: (
        data[: 2048 + 5] + bytes([data[2048 + 5] ^ 1]) + data[2048 + 6 :]
    ),
    "another archive behind its end": lambda data: data + tar_of("z.txt"),
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_no_file_of_a_damaged_tar_is_lost_silently(name, damage):
    data = DAMAGED[damage](tar_of("a.txt", "b.txt", "c.txt"))
    Path(name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(SourceError, match=rf"{name}: (no readable tar|there is more behind)"):
        plan_of()


def test_a_sparse_file_is_refused():
    info = tarfile.TarInfo("x.txt")
    info.size, info.type = 6, tarfile.GNUTYPE_SPARSE
    with tarfile.open("a.tar", "w") as archive:
        archive.addfile(info, io.BytesIO(b"hello\n"))
    with pytest.raises(SourceError, match=r"'x\.txt' is stored as a sparse file"):
        plan_of()


@pytest.mark.parametrize("name", KINDS)
def test_colons_are_common_in_names_of_films(name):
    pack(name, {"Mission: Spring.txt": b"hello\n"})
    assert read_all(plan_of())["_text"].to_pylist() == ["hello"]


def test_links_are_no_files():
    with tarfile.open("a.tar", "w") as archive:
        link = tarfile.TarInfo("passwd.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        info = tarfile.TarInfo("x.txt")
        info.size = 6
        archive.addfile(info, io.BytesIO(b"hello\n"))
    assert rows(read_all(plan_of())) == [("tar://x.txt::a.tar", 0, "hello")]


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_archive_is_an_error_that_names_it(name):
    pack(name, {"x.txt": os.urandom(1 << 12)})
    Path(name).write_bytes(Path(name).read_bytes()[: 1 << 11])
    with pytest.raises(SourceError, match=rf"{name}: "):
        plan_of()


def test_a_file_that_does_not_unpack_is_rejected_row_by_row():
    pack("a.zip", {"x.txt": b"hello\nyou\n" * 1_000, "y.txt": b"good\n"})
    made = plan_of()
    data = bytearray(Path("a.zip").read_bytes())
    times = Path("a.zip").stat()
    data[45] ^= 0xFF
    Path("a.zip").write_bytes(bytes(data))
    os.utime("a.zip", ns=(times.st_atime_ns, times.st_mtime_ns))
    table = read_all(made, Reading())
    assert table["_reject_reason"].to_pylist() == ["unreadable"] * 2_000 + [None]


def test_parquet_in_an_archive_is_an_error_that_says_what_to_do():
    pack("a.zip", {"x.parquet": b"PAR1"})
    with pytest.raises(SourceError, match="cannot be read in parts; unpack it"):
        plan_of()


def test_names_in_a_tar_archive_need_not_be_utf8(tmp_path):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", encoding="latin-1") as archive:
        info = tarfile.TarInfo("films/café.txt")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"x\n"))
    (tmp_path / "a.tar").write_bytes(data.getvalue())
    table = read_all(plan_of(tmp_path / "a.tar"))
    assert table["source_uri"].to_pylist() == ["tar://films/café.txt::a.tar"]
    assert table["_text"].to_pylist() == ["x"]
