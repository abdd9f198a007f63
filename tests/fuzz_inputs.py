"""Files for fuzzing: made by small grammars, then harmed; all of it follows from a seed."""

import csv
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = (
    *("a", "Hello.", "don't", "42", "é", "😀", "\u2028", "\x0b", "\x85", "\ufeff", "\0", "", " "),
    *(
        "-->",
        "<i>",
        "</i>",
        "{\\an8}",
        "&amp;",
        "&",
        "<",
        '"',
        "'",
        ",",
        "\t",
        "\\N",
        "JOHN:",
        "- ",
    ),
)
LINE_ENDS = ("\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\r\n", "\n \n")
TOKENS = (
    *(b"\n", b"\r", b"\0", b'"', b",", b"\t", b"{", b"}", b"[", b"]", b"\\", b"\xff", b"\xc3"),
    *(b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"<", b">", b"&", b"]]>", b"-->"),
    *(b"00:00:01,000", b"99:99:99.999", b"[Events]\n", b"Format: Text\n", b"WEBVTT\n", b"NOTE\n"),
    *(b"<tu>", b"</tu>", b"<seg>", b"</seg>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<!--"),
    *(b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"PAR1", b"ARROW1", b"PK\x05\x06"),
    *(b'"text"', b"NaN", b"1e999", b"null", b"\\ud83d", b"true", b"-" * 9, b"[" * 500, b"\x1f\x8b"),
)


def text(rng: Random, most: int = 8) -> str:
    """Return some words, most of them good."""
    return " ".join(
        rng.choice(WORDS[: rng.choice((4, len(WORDS)))]) for _ in range(rng.randrange(most))
    )


def clock(rng: Random, point: str) -> str:
    """Return a time of day as subtitles write it, seldom a strange one."""
    numbers = [rng.randrange(3), rng.randrange(60), rng.randrange(60), rng.randrange(1_000)]
    if rng.random() < 0.05:
        numbers[rng.randrange(4)] = rng.choice((-1, 61, 999, 10**9))
    return "{:02}:{:02}:{:02}{}{:03}".format(*numbers[:3], point, numbers[3])


def srt(rng: Random) -> bytes:
    end = rng.choice(LINE_ENDS)
    cues = (
        f"{number}{end}{clock(rng, ',')} --> {clock(rng, ',')}{end}{text(rng)}{end}{text(rng)}{end}"
        for number in range(1, rng.randrange(1, 12))
    )
    return end.join(cues).encode()


def vtt(rng: Random) -> bytes:
    end = rng.choice(LINE_ENDS)
    blocks = [rng.choice(("WEBVTT", "WEBVTT - a", "\ufeffWEBVTT"))]
    for _ in range(rng.randrange(1, 10)):
        cue = f"{clock(rng, '.')} --> {clock(rng, '.')} align:left{end}<v Ann>{text(rng)}"
        blocks.append(rng.choice((cue, cue, f"id{end}{cue}", f"NOTE {text(rng)}", "STYLE")))
    return (end + end).join(blocks).encode()


def ass(rng: Random) -> bytes:
    fields = ["Layer", "Start", "End", "Style", "Name", "Text"]
    if rng.random() < 0.2:
        rng.shuffle(fields)
    lines = ["[Script Info]", "[Events]", f"Format: {', '.join(fields)}"]
    for _ in range(rng.randrange(1, 10)):
        values = {"Start": clock(rng, "."), "End": clock(rng, "."), "Text": text(rng)}
        event = ",".join(values.get(field, "x") for field in fields)
        lines.append(f"{rng.choice(('Dialogue', 'Dialogue', 'Comment'))}: {event}")
    return rng.choice(LINE_ENDS).join(lines).encode()


def tmx(rng: Random) -> bytes:
    def escaped(most: int) -> str:
        words = text(rng, most).replace("&", "&amp;").replace("<", "&lt;")
        return "".join(letter for letter in words if letter >= " " and letter != "\x85")

    def segment(depth: int = 0) -> str:
        if depth > 3 or rng.random() < 0.5:
            return escaped(5)
        tag = rng.choice(("bpt", "ept", "ph", "it", "hi", "sub", "ut", "g"))
        return f"{escaped(3)}<{tag} i='1'>{segment(depth + 1)}</{tag}>{escaped(3)}"

    encoding = rng.choice(("utf-8", "utf-8", "utf-16", "utf-16-be", "iso-8859-1", "windows-1252"))
    units = "".join(
        "<tu>"
        + "".join(
            f'<tuv xml:lang="{rng.choice(("en", "en", "fr", "EN"))}"><seg>{segment()}</seg></tuv>'
            for _ in range(rng.randrange(4))
        )
        + rng.choice(("</tu>", "</tu>\n", "</tu><!-- <tu> -->"))
        for _ in range(rng.randrange(12))
    )
    doctype = rng.choice(("", '<!DOCTYPE tmx SYSTEM "tmx14.dtd">'))
    name = "utf-16" if encoding == "utf-16-be" else encoding
    whole = f'<?xml version="1.0" encoding="{name}"?>{doctype}<tmx><body>{units}</body></tmx>'
    return whole.encode(encoding, errors="xmlcharrefreplace")


def value(rng: Random, depth: int = 0) -> object:
    """Return some JSON value."""
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind < 6:
        return (None, True, rng.randrange(-9, 9), rng.random(), text(rng), 2 ** rng.randrange(70))[
            kind
        ]
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice("abc"): value(rng, depth + 1) for _ in range(rng.randrange(4))}


def jsonl(rng: Random) -> bytes:
    rows = []
    kept = value(rng)
    for _ in range(rng.randrange(1, 15)):
        row = {"text": text(rng), "kept": kept if rng.random() < 0.8 else value(rng)}
        line = row if rng.random() < 0.9 else value(rng)
        rows.append(json.dumps(line, ensure_ascii=rng.random() < 0.5))
    return rng.choice(("\n", "\r\n", "\n\n")).join(rows).encode(errors="surrogatepass")


def delimited(delimiter: str) -> Callable[[Random], bytes]:
    """Return what makes files of delimited columns."""

    def make(rng: Random) -> bytes:
        stream = io.StringIO(newline="")
        quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        end = rng.choice(("\n", "\r\n"))
        writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=end)
        names = ["text", "other"][: rng.randrange(1, 3)]
        writer.writerow(names)
        for _ in range(rng.randrange(15)):
            width = len(names) if rng.random() < 0.9 else rng.randrange(4)
            writer.writerow([text(rng, 4) for _ in range(width)])
        return stream.getvalue().encode()

    return make


def lines(rng: Random) -> bytes:
    return rng.choice(LINE_ENDS).join(text(rng) for _ in range(rng.randrange(1, 20))).encode()


def table(rng: Random) -> pa.Table:
    """Return a table with a text column and others of many types."""
    rows = rng.randrange(1, 40)
    texts = [text(rng) if rng.random() < 0.9 else None for _ in range(rows)]
    kind = rng.choice((pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())))
    columns = {"text": pa.array(texts).cast(kind)}
    others: dict[str, Callable[[], object]] = {
        "int": lambda: rng.randrange(100),
        "float": rng.random,
        "struct": lambda: {"a": rng.randrange(9), "b": text(rng, 3)},
        "list": lambda: [text(rng, 3) for _ in range(rng.randrange(3))],
        "bytes": lambda: rng.randbytes(rng.randrange(6)),
    }
    for name in rng.sample(sorted(others), rng.randrange(4)):
        columns[name] = pa.array(
            [others[name]() if rng.random() < 0.8 else None for _ in range(rows - 1)]
            + [others[name]()]
        )
    return pa.table(columns)


def parquet(rng: Random) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(
        table(rng),
        buffer,
        row_group_size=rng.randrange(1, 40),
        compression=rng.choice(("none", "snappy", "zstd", "gzip")),
        use_dictionary=rng.random() < 0.5,
        data_page_version=rng.choice(("1.0", "2.0")),
        write_page_index=rng.random() < 0.3,
        store_schema=rng.random() < 0.7,
    )
    return buffer.getvalue()


def arrow(rng: Random) -> bytes:
    buffer = io.BytesIO()
    made = table(rng)
    kind = rng.choice((pa.ipc.new_stream, pa.ipc.new_stream, pa.ipc.new_file))
    options = pa.ipc.IpcWriteOptions(compression=rng.choice((None, None, "lz4", "zstd")))
    with kind(buffer, made.schema, options=options) as writer:
        writer.write_table(made, max_chunksize=rng.randrange(1, 40))
    return buffer.getvalue()


MEMBERS = {"srt": srt, "vtt": vtt, "tmx": tmx, "jsonl": jsonl, "csv": delimited(","), "txt": lines}


def members(rng: Random) -> dict[str, bytes]:
    """Return files for an archive; all have the same columns."""
    ending = rng.choice(sorted(MEMBERS))
    files: dict[str, bytes] = {}
    for number in range(rng.randrange(1, 5)):
        data = MEMBERS[ending](rng)
        name = rng.choice((f"{number}.{ending}", f"a/{number}.{ending}", f"é{number}.{ending}"))
        if rng.random() < 0.1:
            name, data = f"{name}.gz", gzip.compress(data)
        if rng.random() < 0.02:
            name = rng.choice((f"../{name}", f"/{name}", f"a/../../{name}", name * 40))
        files[name] = data
    return files


def zipped(rng: Random) -> bytes:
    buffer = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members(rng).items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def tarred(rng: Random) -> bytes:
    buffer = io.BytesIO()
    kind = rng.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT))
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, data in members(rng).items():
            info = tarfile.TarInfo(name[-60:])
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def harmed(rng: Random, data: bytes, other: bytes) -> bytes:
    """Return a file after one to four mishaps; `other` is one of the same kind."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at, end = sorted(rng.randrange(len(changed) + 1) for _ in range(2))
        match rng.randrange(9):
            case 0 if changed:
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
            case 1 if changed:
                changed[rng.randrange(len(changed))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del changed[at:]
            case 3:
                del changed[at : min(end, at + 30)]
            case 4:
                changed[at:at] = changed[at : min(end, at + 200)]
            case 5:
                changed[at:end] = other[at:end]
            case 6:
                changed[at:at] = rng.choice(TOKENS)
            case 7:
                changed[at : at + 4] = rng.choice(TOKENS)
            case 8 if rng.random() < 0.2:
                decoded = changed.decode("utf-8", "replace")
                changed = bytearray(
                    decoded.encode(rng.choice(("utf-16", "latin-1", "utf-8-sig")), "replace")
                )
    return bytes(changed) or b"\n"
