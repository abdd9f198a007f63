"""Tracks out of a finished output."""

import json
import zipfile
from pathlib import Path

import pytest
from fake_output import fake_output
from s3_server import KEY, SECRET, RandomFaults

from aslbatch.cli import main
from aslbatch.errors import IncompleteRunError, SinkError
from aslbatch.pipelines.accounts import load_plan, read_records
from aslbatch.pipelines.export import export
from aslbatch.shards.merge import merge_shards
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.reading import Reading
from aslbatch.storage.folder import Storage

CUE = Reading(subtitle_rows="cue")
SRT = """\
1
00:00:01,000 --> 00:00:02,500
Hello.

2
00:00:03,000 --> 00:00:04,000
...

3
00:00:09,000 --> 00:00:05,000
two
lines
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("films").mkdir()
    Path("films/a.srt").write_text(SRT)
    return tmp_path


def files(root):
    return {str(p.relative_to(root)): p.read_text() for p in Path(root).rglob("*") if p.is_file()}


def rows_of_cues(*rows):
    """Write JSON lines that say which cues they come from."""
    names = ("first_cue", "last_cue", "start_ms", "end_ms", "text")
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
    Path("rows.jsonl").write_text("\n".join(lines))


def test_a_track_has_the_times_of_its_source_and_no_cue_for_rejected_rows():
    done = export(fake_output("out", "films", reading=CUE), format="srt")
    assert files("out/tracks") == {
        "films/a.ase.srt": (
            "1\n00:00:01,000 --> 00:00:02,500\nHello.\n\n"
            "2\n00:00:09,000 --> 00:00:05,000\ntwo\nlines\n"
        )
    }
    assert (done.tracks, done.cues, done.rejected_rows, done.untimed_rows) == (1, 2, 1, 0)


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
@pytest.mark.parametrize("compacted", [False, True])
def test_any_kind_of_output_gives_the_same_tracks(file_format, compacted):
    for number in range(9):
        Path(f"films/b{number}.srt").write_text(SRT.replace("Hello", f"Hello {number}"))
    storage = fake_output("out", "films", reading=CUE, shard_rows=2, file_format=file_format)
    if compacted:
        plan = load_plan(storage)
        group = read_records(storage, plan.shards, "r")
        output = OutputFormat(plan.schema, False, "zstd", file_format)
        for index in (0, 4):
            part = group[index : index + 4] if index == 0 else group[index:]
            merge_shards(storage, part, index=index, output=output)
    export(storage, format="srt")
    written = files("out/tracks")
    assert len(written) == 10
    assert all(f"Hello {n}." in written[f"films/b{n}.ase.srt"] for n in range(9))


def test_rows_that_share_cues_and_times_are_a_dialogue():
    rows_of_cues((1, 1, 0, 900, "A"), (1, 1, 0, 900, "B"), (1, 2, 0, 900, "C"), (2, 2, 5, 6, "D"))
    export(fake_output("out", "rows.jsonl"), format="vtt")
    assert files("out/tracks")["rows.ase.vtt"] == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\n- A\n- B\n"
        "\n00:00:00.000 --> 00:00:00.900\nC\n"
        "\n00:00:00.005 --> 00:00:00.006\nD\n"
    )


def test_cues_stand_in_the_order_of_the_file_they_come_from():
    rows_of_cues((3, 3, 1, 2, "C"), (1, 1, 9, 9, "A"), (2, 2, 5, 6, "B"))
    export(fake_output("out", "rows.jsonl", shard_rows=1), format="srt")
    written = files("out/tracks")["rows.ase.srt"]
    assert [block.split("\n")[2] for block in written.split("\n\n")] == ["A", "B", "C"]


def test_what_is_left_out_or_changed_is_counted(capsys):
    rows_of_cues(
        (1, 1, -700, 500, "A"),
        (2, 2, None, 6, "B"),
        (3, 3, 1, None, "C"),
        (4, 4, 1, 36_000_000_000, "D"),
        (5, 5, 1, 2, "!"),
    )
    Path("films/b.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n...\n")
    done = export(fake_output("out", ".", reading=CUE), format="srt")
    assert files("out/tracks")["rows.ase.srt"] == "1\n00:00:00,000 --> 00:00:00,500\nA\n"
    assert (done.untimed_rows, done.negative_times, done.rejected_rows) == (3, 1, 3)
    assert (done.tracks, done.sources_without_track) == (2, 1)
    with pytest.raises(SystemExit) as stopped:
        main(["export", "out", "--format", "srt"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.strip() == (
        f"2 tracks with 3 cues in {done.uri}; left out: 3 rows without times, 3 rejected rows, "
        "1 sources without a cue; 1 times before 0 set to 0"
    )


@pytest.mark.parametrize("shard_rows", [1, 2, 1_000])
def test_sources_of_an_archive_have_tracks_of_their_own(shard_rows):
    with zipfile.ZipFile("subs.zip", "w") as archive:
        for number in range(30):
            archive.writestr(f"a/{number}.srt", SRT.replace("Hello", f"Hello {number}"))
    storage = fake_output("out", "subs.zip", "films", reading=CUE, shard_rows=shard_rows)
    done = export(storage, format="srt", to="elsewhere")
    written = files("elsewhere")
    assert set(written) == {f"subs.zip/a/{n}.ase.srt" for n in range(30)} | {"films/a.ase.srt"}
    assert all(f"Hello {n}." in written[f"subs.zip/a/{n}.ase.srt"] for n in range(30))
    assert (done.tracks, done.cues) == (31, 62)


def test_tracks_may_lie_beside_their_sources_and_replace_none():
    Path("films/a.ase.srt").write_text(SRT)
    before = files("films")
    export(fake_output("out", "films", reading=CUE), format="srt", to=".")
    after = files("films")
    assert {name: after[name] for name in before} == before
    assert len(list(Path().glob("*/a.ase.srt"))) == 2


def test_the_language_is_that_of_the_target():
    storage = fake_output("out", "films", reading=CUE, target="asl_GL")
    export(storage, format="vtt")
    assert set(files("out/tracks")) == {"films/a.ase.vtt"}
    fake_output("back", "films", reading=CUE, target="en")
    export(Storage("back"), format="vtt")
    assert set(files("back/tracks")) == {"films/a.en.vtt"}


@pytest.fixture
def in_bucket(s3):
    """An output in a bucket."""
    fake_output("out", "films", reading=CUE)
    storage = Storage(f"{s3.url}/out", s3.storage_options)
    for path in Path("out").rglob("*"):
        if path.is_file():
            storage.publish(path.relative_to("out").as_posix(), path.read_bytes())
    return storage


def test_an_output_in_a_bucket_gets_its_tracks_there(in_bucket, s3):
    s3.server.inject = faults = RandomFaults(0.3, seed=4)
    done = export(in_bucket, format="srt")
    assert done.uri == f"{s3.url}/out/tracks"
    assert faults.injected
    assert b"Hello." in in_bucket.read("tracks/films/a.ase.srt")


def test_another_folder_of_the_bucket_is_opened_with_the_same_options(in_bucket, s3):
    done = export(in_bucket, format="srt", to=f"{s3.url}/exported/")
    assert Storage(done.uri, s3.storage_options).names("films") == ["a.ase.srt"]
    with pytest.raises(SinkError, match="among the files of the run"):
        export(in_bucket, format="srt", to=f"{s3.url}/out/data")


@pytest.fixture
def new_clients(s3):
    """Clients that know the environment of the test alone; fsspec keeps those of others."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    yield
    S3FileSystem.clear_instance_cache()


@pytest.mark.usefixtures("new_clients")
def test_storage_of_another_kind_is_opened_without_them(in_bucket, s3, monkeypatch):
    assert export(in_bucket, format="srt", to="here").uri == "here"
    assert set(files("here")) == {"films/a.ase.srt"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    export(Storage("out", {"key": "of another kind"}), format="srt", to=f"{s3.url}/away")
    assert Storage(f"{s3.url}/away", s3.storage_options).names("films") == ["a.ase.srt"]


def test_the_command_takes_its_credentials_from_the_configuration(in_bucket, s3, capsys):
    sink = {"path": in_bucket.uri, "storage_options": s3.storage_options}
    values = {"source": {"paths": "films"}, "model": {"name": "demo"}, "sink": sink}
    Path("job.yaml").write_text(json.dumps(values))
    words = ["export", in_bucket.uri, "--format", "vtt", "--config", "job.yaml"]
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    assert in_bucket.names("tracks/films") == ["a.ase.vtt"]
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--set", "sink.storage_options.client_kwargs.endpoint_url=nowhere"])
    assert stopped.value.code == 1
    shown = capsys.readouterr()
    assert "check storage_options" in shown.err
    assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize("to", ["out", "out/data", "out/", "./out/_plan", "out/other"])
def test_a_folder_among_the_files_of_the_run_is_refused(to):
    with pytest.raises(SinkError, match="among the files of the run"):
        export(fake_output("out", "films", reading=CUE), format="srt", to=to)


@pytest.mark.parametrize("start", [None, '"0:01"'])
def test_rows_without_times_are_an_error(start):
    times = f', "first_cue": 1, "last_cue": 1, "end_ms": 1, "start_ms": {start}' if start else ""
    Path("a.jsonl").write_text(f'{{"text": "Hello."{times}}}\n')
    wrong = "start_ms" if start else "first_cue"
    with pytest.raises(SinkError, match=f"no column '{wrong}' with integers"):
        export(fake_output("out", "a.jsonl"), format="srt")


def test_an_output_that_is_not_whole_is_an_error():
    storage = fake_output("out", "films", reading=CUE)
    [data] = Path("out/data").iterdir()
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(IncompleteRunError, match=r"data/part-.*: 7\d+ bytes with SHA-256"):
        export(storage, format="srt")
    data.unlink()
    with pytest.raises(IncompleteRunError, match=r"data/part-.*: missing"):
        export(storage, format="srt")
    storage.delete("_SUCCESS")
    with pytest.raises(IncompleteRunError, match="not finished"):
        export(storage, format="srt")
    with pytest.raises(SinkError, match="expected the output folder"):
        export(Storage("films"), format="srt")
