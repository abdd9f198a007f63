"""Subtitle files through the whole job: every cue once, with its times."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.shards.storage import Storage

SRT = """\
1
00:00:01,000 --> 00:00:02,500
{\\an8}<i>Hello, Anna.</i>

2
00:00:03,000 --> 00:00:04,000
[SIGHS]

3
00:00:05,000 --> 00:00:06,000
JOHN: Where do
you live?
"""
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Mary>I don't like coffee.\n"
ASS = (
    "[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.50,0:00:02.00,Default,Tom,0,0,0,,The boy\\Nruns.\n"
)


@pytest.mark.usefixtures("cluster")
def test_a_folder_of_subtitles_keeps_each_cue_with_its_times(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "a.srt").write_bytes(SRT.replace("\n", "\r\n").encode("utf-16"))
    (folder / "b.vtt").write_text(VTT)
    (folder / "c.ass").write_text(ASS)
    config = TranslateConfig.model_validate(
        {
            "source": {"paths": str(folder)},
            "model": {"name": "demo"},
            "sink": {"path": str(tmp_path / "out")},
            "run": {"workers": 1},
        }
    )
    summary = translate(config)
    assert (summary.rows, summary.rejected) == (5, {"no_words": 1})
    assert verify(Storage(config.sink.path)).faults == ()
    rows = pq.read_table(tmp_path / "out" / "data").to_pylist()
    found = {(Path(row["source_uri"]).name, row["first_cue"]): row for row in rows}
    assert {
        key: (row["source_text"], row["start_ms"], row["end_ms"], row["speaker"])
        for key, row in found.items()
    } == {
        ("a.srt", 1): ("Hello, Anna.", 1_000, 2_500, None),
        ("a.srt", 3): ("Where do you live?", 5_000, 6_000, "JOHN"),
        ("b.vtt", 1): ("I don't like coffee.", 1_000, 2_000, "Mary"),
        ("c.ass", 1): ("The boy runs.", 1_500, 2_000, "Tom"),
    }
    assert found["a.srt", 3]["translation"] == "IX-2 LIVE WHERE"
