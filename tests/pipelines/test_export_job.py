"""Subtitles through the whole job and out again as tracks."""

from pathlib import Path

import pytest

from aslbatch.config.translate import TranslateConfig
from aslbatch.pipelines.export import export
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage

SRT = """\
1
00:00:01,000 --> 00:00:02,500
Where do you live?

2
00:00:03,000 --> 00:00:04,000
[SIGHS]

3
00:00:05,000 --> 00:00:06,250
I don't like coffee.
"""


@pytest.mark.usefixtures("cluster")
def test_tracks_of_a_job_have_gloss_and_the_original_times(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("films").mkdir()
    Path("films/a.srt").write_text(SRT)
    config = TranslateConfig.model_validate(
        {
            "source": {"paths": "films"},
            "model": {"name": "demo"},
            "sink": {"path": "out"},
            "run": {"workers": 1},
        }
    )
    translate(config)
    storage = Storage("out")
    export(storage, format="srt")
    written = Path("out/tracks/films/a.ase.srt").read_text().split("\n")
    assert written[:3] == ["1", "00:00:01,000 --> 00:00:02,500", "IX-2 LIVE WHERE"]
    assert written[4:6] == ["2", "00:00:05,000 --> 00:00:06,250"]
    assert verify(storage).faults == ()
    translate(config, limit=1, overwrite=True)
    assert not Path("out/tracks").exists()
