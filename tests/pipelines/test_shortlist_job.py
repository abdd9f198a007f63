"""Jobs with a vocabulary shortlist: the audit is recorded, and a bad list halts the run."""

import json
import shutil
from pathlib import Path

import pytest
from sample import config, read

from aslbatch.cli.app import main
from aslbatch.errors import OutputMismatchError, QualityAlarmError
from aslbatch.pipelines.retry import retry
from aslbatch.pipelines.translate import translate
from aslbatch.pipelines.verify import verify
from aslbatch.storage.folder import Storage

pytestmark = pytest.mark.usefixtures("cluster", "corpus")

AUDITED = {"audited_share": 1.0}
LET_THROUGH = {"min_shortlist_agreement": 0.0}
FEW = "yes no\n"
BAD_LIST = {"name": "demo", "shortlist": "few.txt"}


@pytest.fixture
def bad_list(corpus):
    """A list that lacks most of what the demo model wants to say."""
    (corpus / "few.txt").write_text(FEW, encoding="utf-8")


def test_agreement_is_counted_in_records_manifest_and_summary():
    summary = translate(config(model={"shortlist": "ascii"}, quality=AUDITED))
    records = [json.loads(path.read_text()) for path in Path("out/_commits").iterdir()]
    assert sum(record["audited"] for record in records) == summary.audited > 0
    assert summary.agreed == summary.audited
    totals = json.loads(Path("out/_manifest.json").read_text())["totals"]
    assert (totals["audited"], totals["agreed"]) == (summary.audited, summary.agreed)
    assert (
        f"{summary.agreed} of {summary.audited} sampled texts" in Path("out/README.md").read_text()
    )
    assert {row["engine"].split("|")[-1].split(":")[0] for row in read("out")} == {"ascii"}
    assert verify(Storage("out")).faults == ()


def test_without_a_list_nothing_is_audited():
    summary = translate(config(model={"shortlist": "off"}, quality=AUDITED))
    assert (summary.audited, summary.agreed) == (0, 0)


@pytest.fixture
def accepted(accepted_once, bad_list, tmp_path):
    """The output of a run with that list which was let through."""
    shutil.copytree(accepted_once, tmp_path / "out")


@pytest.fixture(scope="module")
def accepted_once(cluster, finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("accepted")
    shutil.copytree(finished, folder, dirs_exist_ok=True, ignore=lambda *_: ["out"])
    (folder / "few.txt").write_text(FEW, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        translate(config(model=BAD_LIST, quality=LET_THROUGH))
    return folder / "out"


@pytest.mark.usefixtures("bad_list")
def test_a_bad_list_halts_the_run_until_somebody_lowers_the_limit():
    with pytest.raises(QualityAlarmError, match=r"sampled texts come out otherwise"):
        translate(config(model=BAD_LIST, quality=AUDITED))
    assert not Path("out/_SUCCESS").exists()
    assert translate(config(model=BAD_LIST, quality=LET_THROUGH)).translated > 0
    assert Path("out/_SUCCESS").exists()


@pytest.mark.usefixtures("accepted")
def test_the_end_of_a_run_looks_at_all_workers_together():
    """As when none of them saw enough, or when the limit was raised since."""
    assert Path("out/_SUCCESS").exists()
    with pytest.raises(QualityAlarmError, match="5 of 5 sampled texts"):
        translate(config(model=BAD_LIST))
    assert not Path("out/_SUCCESS").exists()


@pytest.mark.usefixtures("accepted")
def test_the_same_command_again_is_halted_before_more_is_done():
    for path in list(Path("out/_commits").iterdir())[:2]:
        path.unlink()
    with pytest.raises(QualityAlarmError, match="3 of 3 sampled texts"):
        translate(config(model=BAD_LIST))
    assert len(list(Path("out/_commits").iterdir())) == 3


@pytest.mark.usefixtures("bad_list")
def test_a_retry_accepts_what_the_finished_run_had_accepted():
    job = {
        "model": BAD_LIST,
        "normalize": {"max_characters": 30},
        "run": {"max_failed_rows": 1.0},
    }
    with pytest.raises(QualityAlarmError):
        translate(config(**job, quality=AUDITED))
    translate(config(**job, quality=LET_THROUGH))
    assert retry(Storage("out"), "out").failed > 0
    assert Path("out/_SUCCESS").exists()


@pytest.mark.usefixtures("accepted")
def test_another_list_is_another_run():
    Path("few.txt").write_text("yes no yesterday\n", encoding="utf-8")
    with pytest.raises(OutputMismatchError, match=r"model\.shortlist"):
        translate(config(model=BAD_LIST))


@pytest.mark.usefixtures("bad_list")
def test_the_command_line_ends_with_code_5(capsys):
    Path("job.yaml").write_text(
        "source: {paths: a.parquet}\nmodel: {name: demo, shortlist: few.txt}\n"
        "quality: {audited_share: 1.0}\nsink: {path: out}\nrun: {workers: 1}\n"
    )
    with pytest.raises(SystemExit) as stopped:
        main(["translate", "job.yaml"])
    assert stopped.value.code == 5
    assert "the vocabulary shortlist changes translations" in " ".join(
        capsys.readouterr().err.split()
    )


def rows_by_place(folder):
    return {(row["source_uri"], row["source_row"]): row for row in read(folder)}


def test_rows_do_not_depend_on_shards_batches_or_workers():
    """Bit for bit, scores too: what int8 in batches of one length promises."""
    translate(config(run={"shard_rows": 8, "workers": 1}, batching={"max_tokens": 16}))
    translate(
        config(
            run={"shard_rows": 64, "workers": 2},
            batching={"max_tokens": 4_096, "target_ratio": 0.3},
            sink={"path": "other"},
        )
    )
    ours, theirs = rows_by_place("out"), rows_by_place("other")
    for place, row in ours.items():
        assert row | {"run_id": ""} == theirs[place] | {"run_id": ""}
    assert ours.keys() == theirs.keys()
