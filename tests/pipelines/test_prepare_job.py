"""Data sets of several kinds through the whole job: kept, dropped with a reason, or refused."""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from aslbatch.cli import main
from aslbatch.config.load import load_config
from aslbatch.config.prepare import PrepareConfig
from aslbatch.corpora.tables import kept_table
from aslbatch.errors import ConfigError, SinkError, SourceError
from aslbatch.pipelines.prepare import prepare

HEADER = (
    "VIDEO_ID\tVIDEO_NAME\tSENTENCE_ID\tSENTENCE_NAME\tSTART_REALIGNED\tEND_REALIGNED\tSENTENCE"
)
FLORES = "id,URL,domain,topic,has_image,has_hyperlink,sentence,gloss,signer,file_name\n"
FLOUR = "Sift the flour into the larger bowl."
FLORES_ROWS = [
    "1,u,wiki,t,0,0,The bridge was closed after the storm.,AFTER STORM BRIDGE CLOSE,0,a.mp4",
    "1,u,wiki,t,0,0,The bridge was closed after the storm.,STORM FINISH BRIDGE CLOSE,1,b.mp4",
    "2,u,wiki,t,0,0,The mayor thanked all nurses.,MAYOR THANK NURSE ALL,0,c.mp4",
    "3,u,wiki,t,0,0,Two ferries stopped running.,,0,d.mp4",
]
DATASETS = [
    {"kind": "how2sign", "paths": "train.csv", "split": "train"},
    {"kind": "how2sign", "paths": "val.csv", "split": "validation"},
    {"kind": "flores_asl", "paths": "dev/metadata.csv", "split": "test", "few_shot_ids": [2],
     "expected_rows": 4, "expected_after_few_shot": 3},
    {"kind": "pairs", "name": "own", "paths": "own.jsonl", "split": "train", "origin": "human"},
]  # fmt: skip


def how2sign(name, texts):
    lines = [f"v\tv-1-rgb_front\tv_{n}\tv_{n}-1-rgb_front\t0\t1\t{text}"
             for n, text in enumerate(texts)]  # fmt: skip
    Path(name).write_text("\r\n".join([HEADER, *lines]) + "\r\n")


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Raw data with a planted leak of each kind, as the working directory."""
    monkeypatch.chdir(tmp_path)
    how2sign("train.csv", [FLOUR, FLOUR, "Now knead the dough.", "[LAUGHS]",
                           "the bridge was CLOSED -- after the storm"])  # fmt: skip
    how2sign("val.csv", ["Now -- knead the dough!", "Let it rest."])
    Path("dev").mkdir()
    Path("dev/metadata.csv").write_text(FLORES + "\n".join(FLORES_ROWS) + "\n")
    pairs = [
        {"english": "He waved.", "gloss": "IX WAVE\n"},
        {"english": "LET IT REST", "gloss": "LET REST"},
        {"english": "We sang a song.", "gloss": " "},
    ]
    Path("own.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))


def config(datasets=DATASETS, **sections):
    return PrepareConfig.model_validate({"datasets": datasets, "sink": {"path": "out"}, **sections})


def rows(name):
    return pq.read_table(f"out/{name}.parquet").to_pylist()


def digests():
    return {
        path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path("out").rglob("*"))
        if path.is_file()
    }


@pytest.mark.usefixtures("raw")
def test_every_row_is_kept_or_dropped_with_its_reason():
    report = prepare(config())
    assert [(row["source"], row["target"]) for row in rows("data/train")] == [
        (FLOUR, None), ("He waved.", "IX WAVE"),
    ]  # fmt: skip
    assert [row["source"] for row in rows("data/validation")] == [
        "Now -- knead the dough!", "Let it rest.",
    ]  # fmt: skip
    assert [row["signer"] for row in rows("data/test")] == ["0", "1"]
    assert [
        (row["dataset"], row["source_row"], row["drop_reason"]) for row in rows("dropped")
    ] == [
        ("how2sign", 1, "duplicate"), ("how2sign", 2, "leaked"), ("how2sign", 3, "no_words"),
        ("how2sign", 4, "leaked"), ("flores_asl", 2, "few_shot"), ("flores_asl", 3, "empty_target"),
        ("own", 1, "leaked"), ("own", 2, "empty_target"),
    ]  # fmt: skip
    assert rows("dropped")[3]["drop_detail"] == (
        "also dev/metadata.csv row 0 (test): The bridge was closed after the storm."
    )
    assert (report.rows, report.kept, sum(report.dropped.values())) == (14, 6, 8)
    assert pq.read_schema("out/data/train.parquet").equals(kept_table([]).schema)


@pytest.mark.usefixtures("raw")
def test_the_report_says_what_was_read_dropped_and_checked(capsys):
    Path("job.yaml").write_text(json.dumps(config().model_dump(exclude_unset=True)))
    main_exit(0, "prepare", "job.yaml")
    shown = capsys.readouterr().out
    report = json.loads(Path("out/report.json").read_text())
    assert report["datasets"][0]["files"][0]["unique_sentences"] == 4
    assert report["datasets"][0]["dropped"] == {"duplicate": 1, "leaked": 2, "no_words": 1}
    assert report["splits"]["train"]["origins"] == {"human": 1, "none": 1}
    assert report["files"]["data/test.parquet"]["sha256"] == digests()["out/data/test.parquet"]
    card = Path("out/README.md").read_text()
    for line in report["asserted"]:
        assert line in shown
        assert line in card
    assert "* datasets[2]: all 1 few-shot ids were there" in card
    assert "| own | 3 | 1 | 2 | 1 empty_target, 1 leaked | 1 train |" in card


@pytest.mark.usefixtures("raw")
def test_the_folder_loads_as_a_data_set():
    prepare(config())
    loaded = load_dataset("out")
    assert {name: len(part) for name, part in loaded.items()} == {
        "test": 2, "validation": 2, "train": 2,
    }  # fmt: skip


@pytest.mark.usefixtures("raw")
def test_two_runs_give_the_same_bytes_and_no_old_file_survives():
    prepare(config())
    first = digests()
    prepare(config())
    assert digests() == first
    Path("out/report.json").unlink()  # as if it had been killed
    Path("out/data/other.parquet").write_bytes(b"")
    prepare(config())
    assert digests() == first


@pytest.mark.usefixtures("raw")
def test_another_preparation_is_replaced_on_purpose_only(capsys):
    prepare(config())
    before = digests()
    Path("job.yaml").write_text(json.dumps(config().model_dump(exclude_unset=True)))
    other = ("prepare", "job.yaml", "--set", "duplicates.near=0.8")
    main_exit(4, *other)
    assert "config.duplicates.near: null -> 0.8" in capsys.readouterr().err
    assert digests() == before
    main_exit(0, *other, "--overwrite")


@pytest.mark.usefixtures("raw")
def test_a_folder_of_something_else_is_left_alone():
    Path("out/data").mkdir(parents=True)
    Path("out/data/part.parquet").write_bytes(b"mine")
    with pytest.raises(SinkError, match=r"out holds data, but no _prepare\.json"):
        prepare(config(), overwrite=True)
    assert list(digests()) == ["out/data/part.parquet"]


@pytest.mark.usefixtures("raw")
def test_nothing_is_written_when_a_number_or_an_id_is_not_as_expected():
    fewer = [{**DATASETS[2], "expected_rows": 999}]
    with pytest.raises(SourceError, match=r"datasets\[0\]: 4 rows, .*expected_rows says 999"):
        prepare(config(fewer))
    with pytest.raises(SourceError, match="2 rows are left without few_shot_ids"):
        prepare(config([{**DATASETS[2], "few_shot_ids": [1]}]))
    with pytest.raises(SourceError, match=r"datasets\[0\]\.few_shot_ids: 1 of 1 ids"):
        prepare(config([{**DATASETS[2], "few_shot_ids": ["one"]}]))
    Path("val.csv").rename("how2sign_realigned_val.csv")
    named = {**DATASETS[1], "paths": "how2sign_realigned_val.csv"}
    with pytest.raises(SourceError, match="2 rows, the published file should have 1,741"):
        prepare(config([named]))
    assert not Path("out").exists()
    assert prepare(config([{**named, "expected_rows": "any"}])).kept == 2


@pytest.mark.usefixtures("raw")
def test_excluded_sentences_stay_out_of_train():
    Path("secret.txt").write_text("unrelated words\nhe waved\n")
    report = prepare(config(leakage={"exclude": [{"paths": "secret.txt"}]}))
    assert [row["source"] for row in rows("data/train")] == [FLOUR]
    assert report.excluded[0].rows == 2
    assert rows("dropped")[-3]["drop_detail"] == "also secret.txt row 1 (excluded): he waved"


@pytest.mark.usefixtures("raw")
def test_errors_name_the_keys_of_this_job():
    missing = [{**DATASETS[3], "paths": "nowhere.jsonl"}]
    with pytest.raises(SourceError, match=r"nowhere\.jsonl: .*check datasets\[0\]\.paths"):
        prepare(config(missing))
    wrong = [{**DATASETS[3], "columns": {"source": "en"}}]
    with pytest.raises(SourceError, match=r"set datasets\[0\]\.columns\.source to one of 'english"):
        prepare(config(wrong))
    with pytest.raises(SourceError, match="lies in the output folder"):
        prepare(PrepareConfig.model_validate({"datasets": DATASETS, "sink": {"path": "."}}))


FAULTS = {
    "kind: how2sign, paths: a.csv": "job.yaml:2: datasets[0].split: required key is missing",
    "kind: how2sing, paths: a.csv": "job.yaml:2: datasets[0].kind: expected how2sign or "
    'flores_asl or aslg_pc12 or pairs, got "how2sing"',
    "paths: a.csv": "job.yaml:2: datasets[0].kind: expected how2sign or flores_asl or "
    "aslg_pc12 or pairs, but the key is missing",
    "kind: how2sign, path: a.csv, paths: a.csv, split: x": "job.yaml:2: datasets[0].path: unknown "
    "key; did you mean paths?",
    "kind: how2sign, paths: a.csv, split: {a: 0.5, b: 0.6}": "job.yaml:2: datasets[0].split: the "
    "shares add up to 1.1, expected 1",
    "kind: how2sign, paths: a.csv, split: a/b": "job.yaml:2: datasets[0].split: a/b has other "
    "characters than letters, digits and underscores",
    "kind: flores_asl, paths: data/2M-Flores-ASL, split: test": "job.yaml:2: datasets[0].paths: "
    "data/2M-Flores-ASL is no .csv; name data/dev/metadata.csv itself, since the data set around "
    "it is some 326 GB of video",
    "kind: aslg_pc12, english: a.en, split: x": "job.yaml:2: datasets[0]: needs either paths, or "
    "both english and gloss",
    "kind: pairs, paths: a.csv, split: x": "job.yaml:2: datasets[0]: needs either origin or "
    "columns.origin: who made the glosses",
    "kind: pairs, paths: a.csv, origin: human": "job.yaml:2: datasets[0]: needs either split or "
    "columns.split",
    "kind: pairs, paths: a.csv, origin: human, split: x, drop_flags: [shifted_gloss]": "job.yaml:2:"
    " datasets[0].drop_flags: needs flag_noise: true, which makes the flags",
}


@pytest.mark.parametrize(("section", "fault"), FAULTS.items())
def test_a_wrong_data_set_is_told_with_its_line(tmp_path, monkeypatch, section, fault):
    monkeypatch.chdir(tmp_path)
    Path("job.yaml").write_text(f"datasets:\n  - {{{section}}}\nsink: {{path: out}}\n")
    with pytest.raises(ConfigError) as caught:
        load_config("job.yaml", PrepareConfig)
    assert list(caught.value.faults) == [fault]


def test_secrets_of_a_data_set_are_not_recorded(raw):
    del raw
    secret = [{**DATASETS[3], "storage_options": {"auto_mkdir": "s3cr3t"}}]
    prepare(config(secret))
    written = [path.read_bytes() for path in Path("out").rglob("*") if path.is_file()]
    assert not any(b"s3cr3t" in data for data in written)
    assert b'"auto_mkdir": "***"' in Path("out/report.json").read_bytes()


def test_editors_get_a_schema_with_a_section_for_each_kind(capsys):
    main_exit(0, "schema")
    schema = json.loads(capsys.readouterr().out)["prepare"]
    kinds = schema["properties"]["datasets"]["items"]["discriminator"]["mapping"]
    assert set(kinds) == {"how2sign", "flores_asl", "aslg_pc12", "pairs"}


def main_exit(code, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert stopped.value.code == code
