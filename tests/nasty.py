"""A folder with every nasty kind of subtitle file that archives hold."""

import gzip
import io
import zipfile
from pathlib import Path


def srt(*cues: tuple[str, str, str]) -> str:
    """Return a well-formed SubRip file."""
    return "".join(
        f"{number}\n{start} --> {end}\n{text}\n\n"
        for number, (start, end, text) in enumerate(cues, 1)
    )


PLAIN = srt(
    ("00:00:01,000", "00:00:02,500", "The boy bought a red car yesterday."),
    ("00:00:03,000", "00:00:04,000", "Where do\nyou live?"),
)
OVERLAPPING = srt(
    ("00:00:05,000", "00:00:09,000", "I don't like coffee."),
    ("00:00:04,000", "00:00:06,000", "My name is Anna."),
    ("00:00:08,000", "00:00:07,000", "I see you."),
)
NO_BLANK_LINES = (
    "1\n00:00:01,000 --> 00:00:02,000\nWhere do you live?\n"
    "2\n00:00:02,000 --> 00:00:03,000\nI live here.\n"
)
BLANK_LINES_INSIDE = "1\n00:00:01,000 --> 00:00:02,000\nWhere do\n\nyou live?\n"
NEGATIVE = srt(
    ("-00:00:02,000", "00:00:01,000", "My name is Anna."),
    ("00:00:-1,500", "00:00:03,000", "I like coffee."),
)
MARKUP = srt(
    ("00:00:01,000", "00:00:02,000", '<font color="#fff"><b>Hello,</b> Anna.</font>'),
    ("00:00:02,000", "00:00:03,000", "{\\an8}<i>Tom &amp; Anna like coffee.</i>"),
    ("00:00:03,000", "00:00:04,000", "<i></i>"),
)
EMPTY = srt(
    ("00:00:01,000", "00:00:02,000", ""),
    ("00:00:02,000", "00:00:03,000", "   "),
    ("00:00:03,000", "00:00:04,000", "I am here."),
)
CAPTIONS = srt(
    ("00:00:01,000", "00:00:02,000", "[SIGHS]"),
    ("00:00:02,000", "00:00:03,000", "♪ la la la ♪"),
    ("00:00:03,000", "00:00:04,000", "JOHN: Where do you live? (APPLAUSE)"),
    ("00:00:04,000", "00:00:05,000", "- I live here.\n- ANNA: I like you."),
    ("00:00:05,000", "00:00:06,000", ">> My name is Tom."),
    ("00:00:06,000", "00:00:07,000", "# I see the stars #"),
)
ROLLING = (
    "WEBVTT\nKind: captions\nLanguage: en\n\n"
    "00:00:00.000 --> 00:00:02.000 align:start position:0%\n \n"
    "where<00:00:00.500><c> do</c><00:00:01.000><c> you</c><c> live</c>\n\n"
    "00:00:02.000 --> 00:00:02.010 align:start position:0%\nwhere do you live\n \n\n"
    "00:00:02.010 --> 00:00:04.000 align:start position:0%\nwhere do you live\n"
    "my<00:00:02.500><c> name</c><c> is</c><c> Anna</c>\n\n"
    "00:00:04.000 --> 00:00:04.010 align:start position:0%\nmy name is Anna\n \n\n"
    "00:00:04.010 --> 00:00:06.000 align:start position:0%\nmy name is Anna\n"
    "I<00:00:05.000><c> like</c><c> coffee</c>\n\n"
    "00:00:06.000 --> 00:00:06.010 align:start position:0%\nI like coffee\n \n\n"
)
VTT = (
    "\ufeffWEBVTT - a title\n\nNOTE a comment\nof two lines\n\nSTYLE\n::cue { color: red }\n\n"
    "intro\n00:01.000 --> 00:02.000 line:0\n<v Mary>I don&rsquo;t like <c.loud>coffee</c>.\n\n"
    "00:02.000 --> 00:03.000\nWhere <00:02.500>do you live?\n"
)
ASS = (
    "[Script Info]\nTitle: x\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.50,0:00:02.00,Default,Tom,0,0,0,,{\\pos(1,2)}The boy\\Nruns, fast.\n"
    "Comment: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,not a cue\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n"
    "Dialogue: 0,0:00:04.00\n"
)
MOJIBAKE = srt(("00:00:01,000", "00:00:02,000", "I donâ€™t like cafÃ©s."))
INVISIBLE = srt(("00:00:01,000", "00:00:02,000", "I\u200b see\u00ad the \ufb01sh."))


def write_nasty(folder: Path) -> dict[str, int]:
    """Write the files.

    Returns:
        How many cues each file has, by its name.
    """
    files = {
        "crlf.srt": (PLAIN.replace("\n", "\r\n").encode(), 2),
        "crcrlf.srt": (PLAIN.replace("\n", "\r\r\n").encode(), 2),
        "cr.srt": (PLAIN.replace("\n", "\r").encode(), 2),
        "bom.srt": (PLAIN.encode("utf-8-sig"), 2),
        "utf16le.srt": (PLAIN.encode("utf-16"), 2),
        "utf16be.srt": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), 2),
        "cp1252.srt": (PLAIN.replace("car", "café “car”").encode("cp1252"), 2),
        "mixed.srt": (PLAIN.encode() + "3\n00:00:05,0 --> 00:00:06,0\nCafé\n".encode("cp1252"), 3),
        "overlapping.srt": (OVERLAPPING.encode(), 3),
        "no-blank-lines.srt": (NO_BLANK_LINES.encode(), 2),
        "blank-lines-inside.srt": (BLANK_LINES_INSIDE.encode(), 1),
        "negative.srt": (NEGATIVE.encode(), 2),
        "markup.srt": (MARKUP.encode(), 3),
        "empty-cues.srt": (EMPTY.encode(), 3),
        "captions.srt": (CAPTIONS.encode(), 6),
        "mojibake.srt": (MOJIBAKE.encode(), 1),
        "invisible.srt": (INVISIBLE.encode(), 1),
        "rolling.vtt": (ROLLING.encode(), 6),
        "notes.vtt": (VTT.encode(), 2),
        "wrong-ending.srt": (VTT.encode(), 2),
        "overrides.ass": (ASS.encode(), 3),
        "overrides.ssa": (ASS.replace("\n", "\r\n").encode("utf-16"), 3),
        "packed.srt.gz": (gzip.compress(PLAIN.encode()), 2),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("season 1/é.srt", PLAIN)
        archive.writestr("season 1/é.vtt", VTT)
    (folder / "season.zip").write_bytes(buffer.getvalue())
    counts = {name: cues for name, (_, cues) in files.items()}
    return counts | {"season 1/é.srt::season.zip": 2, "season 1/é.vtt::season.zip": 2}
