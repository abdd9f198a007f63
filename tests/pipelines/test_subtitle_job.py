"""Subtitle files of every nasty kind through the whole job: every cue is accounted for."""

from collections import Counter, defaultdict

import pyarrow.parquet as pq
import pytest
from nasty import write_nasty

from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("subtitle_rows", ["turn", "sentence"])
def test_nasty_subtitles_lose_no_cue(tmp_path, monkeypatch, subtitle_rows):
    monkeypatch.chdir(tmp_path)
    cues = write_nasty(tmp_path)
    config = TranslateConfig.model_validate(
        {
            "source": {"paths": ".", "subtitle_rows": subtitle_rows},
            "model": {"name": "demo"},
            "decoding": {"num_beams": 1},
            "sink": {"path": "out"},
            "run": {"workers": 1, "max_failed_rows": 0.1},
        }
    )
    summary = translate(config)
    assert verify(Storage(config.sink.path)).faults == ()
    translated = pq.read_table("out/data").to_pylist()
    rejected = pq.read_table("out/rejected").to_pylist()
    assert len(translated) + len(rejected) == summary.rows
    assert Counter(row["reject_reason"] for row in rejected) == summary.rejected
    # The two Dialogue lines that are cut short.
    assert summary.rejected["invalid_row"] == summary.failed == 2
    covered = defaultdict(set)
    for row in translated + rejected:
        name = row["source_uri"].removeprefix("zip://")
        covered[name] |= set(range(row["first_cue"], row["last_cue"] + 1))
    assert covered == {name: set(range(1, count + 1)) for name, count in cues.items()}

    found = {(row["source_uri"], row["first_cue"]): row for row in translated}
    where = found["utf16le.srt", 2]
    assert where["source_text"] == "Where do you live?"
    assert where["translation"] == "IX-2 LIVE WHERE"
    assert (where["start_ms"], where["end_ms"]) == (3_000, 4_000)
    assert found["overrides.ssa", 1]["speaker"] == "Tom"
    assert found["notes.vtt", 1]["speaker"] == "Mary"
    assert found["negative.srt", 1]["start_ms"] == -2_000
