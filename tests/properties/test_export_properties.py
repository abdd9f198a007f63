"""Whatever the times of a subtitle file are, its track has them."""

import shutil

import pytest
from fake_output import fake_output
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aslbatch.pipelines.export import export
from aslbatch.shards.formats.cues import parse_cues
from aslbatch.shards.reading import Reading

TIMES = st.integers(0, 360_000_000)
TEXTS = st.text(alphabet="ab.\n-<&é😀", max_size=12).map(lambda text: f"x{text}")
FILES = st.lists(
    st.lists(st.tuples(TIMES, TIMES, TEXTS), min_size=1, max_size=15), min_size=1, max_size=4
)


def srt(cues) -> str:
    def clock(ms):
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1_000 % 60:02},{ms % 1_000:03}"

    return "\n\n".join(
        f"{number}\n{clock(start)} --> {clock(end)}\n{text}"
        for number, (start, end, text) in enumerate(cues, 1)
    )


@pytest.mark.parametrize("kind", ["srt", "vtt"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=FILES, shard_rows=st.integers(1, 20))
def test_every_timing_comes_back(tmp_path, monkeypatch, kind, files, shard_rows):
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "in", ignore_errors=True)
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    (tmp_path / "in").mkdir()
    for number, cues in enumerate(files):
        (tmp_path / "in" / f"{number}.srt").write_text(srt(cues))
    reading = Reading(subtitle_rows="cue")
    storage = fake_output("out", "in", reading=reading, shard_rows=shard_rows)
    done = export(storage, format=kind)
    assert done.cues == sum(map(len, files))
    for number, cues in enumerate(files):
        written = (tmp_path / "out" / "tracks" / "in" / f"{number}.ase.{kind}").read_text()
        found = [(cue.start_ms, cue.end_ms) for cue in parse_cues(written, kind) or []]
        assert found == [(start, end) for start, end, _ in cues]
