"""SubRip and WebVTT as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslbatch.shards.formats.cues import parse_cues
from aslbatch.text.tracks import MOST_MS, WRITERS, TrackCue, to_srt, to_vtt

TIMES = st.integers(0, MOST_MS)
TEXTS = st.text(alphabet="ab1 \n\r\0\u2028\x85&<>-\\{}é😀", max_size=20) | st.just("a-->b --> c")
CUES = st.lists(
    st.builds(TrackCue, TIMES, TIMES, st.lists(TEXTS, min_size=1, max_size=3)), max_size=12
)


def test_srt_is_numbered_and_a_dialogue_has_dashes():
    cues = [TrackCue(0, 1_500, ["IX-1 GO"]), TrackCue(3_600_000, 360_000_001, ["YES", "NO\n\nNO"])]
    assert to_srt(cues) == (
        "1\n00:00:00,000 --> 00:00:01,500\nIX-1 GO\n"
        "\n"
        "2\n01:00:00,000 --> 100:00:00,001\n- YES\n- NO\nNO\n"
    )


def test_vtt_escapes_what_its_parser_would_take_for_markup():
    assert to_vtt([TrackCue(5, 4, ["A & <b> --> C"])]) == (
        "WEBVTT\n\n00:00:00.005 --> 00:00:00.004\nA &amp; &lt;b&gt; --&gt; C\n"
    )


def test_an_arrow_in_srt_makes_no_cue():
    written = to_srt([TrackCue(1, 2, ["00:00:01,000 --> 00:00:02,000"]), TrackCue(3, 4, ["-->"])])
    cues = parse_cues(written, "srt")
    assert [(cue.start_ms, cue.text) for cue in cues] == [
        (1, "00:00:01,000 -> 00:00:02,000"),
        (3, "->"),
    ]


def test_an_arrow_that_comes_of_removed_characters_is_none_either():
    assert to_srt([TrackCue(1, 2, ["-\0->"])]).count("-->") == 1
    assert to_srt([TrackCue(1, 2, ["--->"])]).count("-->") == 1


@pytest.mark.parametrize("kind", ["srt", "vtt"])
@given(cues=CUES)
def test_every_cue_comes_back_with_its_times(kind, cues):
    parsed = parse_cues(WRITERS[kind](cues), kind)
    assert [(cue.start_ms, cue.end_ms) for cue in parsed or []] == [
        (cue.start_ms, cue.end_ms) for cue in cues
    ]


@given(cues=CUES)
def test_a_line_of_text_is_a_line_of_the_file(cues):
    lines = to_vtt(cues).split("\n")
    assert not any(set("\r\0\u2028\x85") & set(line) for line in lines)
