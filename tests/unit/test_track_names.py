"""Names of tracks: mirrored, harmless and each once."""

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslbatch.pipelines.track_names import track_names

PARTS = st.sampled_from(
    [
        *("a", "A", "b.srt", "B.SRT", "a.vtt", "a.srt.gz", "a.ase.srt", "..", ".", "", " ", "con"),
        *("NUL.srt", "a:b", "x" * 300 + ".srt", "é", "e\u0301", "\u212b", "...", ".git", "a\0b"),
    ]
)
URIS = st.builds(
    lambda scheme, parts, archive: scheme + "/".join(parts) + archive,
    st.sampled_from(["", "/", "s3://", "zip://", "tar://", "https://h:8/"]),
    st.lists(PARTS, min_size=1, max_size=20),
    st.sampled_from(["", "::subs.zip", "::s3://b/../subs.zip", "::/a.srt"]),
) | st.text(max_size=30)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("films/a.srt", "films/a.ase.srt"),
        ("films/a.part1.vtt.gz", "films/a.part1.ase.srt"),
        ("/data/films/a.ass", "data/films/a.ase.srt"),
        ("../../etc/x.srt", "etc/x.ase.srt"),
        ("s3://bucket/films/a.srt", "bucket/films/a.ase.srt"),
        ("zip://a/b.srt::corpora/subs.zip", "corpora/subs.zip/a/b.ase.srt"),
        ("zip://a/../../etc/x.srt::subs.zip", "subs.zip/a/etc/x.ase.srt"),
        ("zip:///etc/passwd.srt::s3://b/subs.zip", "b/subs.zip/etc/passwd.ase.srt"),
        ("tar://..\\..\\x.srt::a.tar.gz", "a.tar.gz/_.._x.ase.srt"),
        ('zip://what?<"|*>.srt::a.zip', "a.zip/what______.ase.srt"),
        ("con/aux.srt", "_con/_aux.ase.srt"),
        ("..", "track.ase.srt"),
        ("a.parquet", "a.ase.srt"),
        ("movie.2019", "movie.2019.ase.srt"),
    ],
)
def test_names_mirror_sources_without_what_is_dangerous(uri, name):
    assert track_names([uri], ".ase.srt") == {uri: name}


@pytest.mark.parametrize(
    "uris",
    [
        ["a/m.srt", "a/m.vtt"],
        ["a/m.srt", "a/../a/m.srt"],
        ["a/M.srt", "a/m.srt"],
        ["s3://b/m.srt", "gs://b/m.srt"],
        ["m.srt", "zip://x.srt::m.ase.srt"],
        ["zip://x.srt::m.ase.srt", "m.srt"],
        ["m.srt", "m.ase.srt"],
        ["é.srt", "e\u0301.srt"],
    ],
)
def test_sources_that_would_share_a_name_get_two(uris):
    names = track_names(uris, ".ase.srt")
    assert len(set(names.values())) == 2
    assert not set(names.values()) & set(uris)
    assert track_names(uris, ".ase.srt") == names


def normal(path: str) -> str:
    return unicodedata.normalize("NFKC", path.casefold())


@given(uris=st.lists(URIS, max_size=20))
def test_names_are_safe_and_unlike_whatever_sources_are_called(uris):
    names = track_names(uris, ".ase.srt")
    assert set(names) == set(uris)
    keys = [normal(name) for name in names.values()]
    assert len(set(keys)) == len(keys)
    folders = {str(folder) for key in keys for folder in PurePosixPath(key).parents}
    assert not folders & set(keys)
    for name in names.values():
        parts = name.split("/")
        assert all(part.strip(" .") and len(part.encode()) < 200 for part in parts)
        assert not set(name) & set('<>:"|?*\\\0\n')
        assert name.endswith(".ase.srt")
