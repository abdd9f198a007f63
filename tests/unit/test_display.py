"""What the terminal shows."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aslbatch.cli import display
from aslbatch.cli.samples import sample_pairs
from aslbatch.cluster.progress import Progress
from aslbatch.cluster.session import Pool
from aslbatch.errors import OutputMismatchError
from aslbatch.models.capabilities import Choice
from aslbatch.pipelines.accounts import Summary
from aslbatch.pipelines.verify import Verdict
from aslbatch.storage.folder import Storage

SUMMARY = Summary(
    uri="out/[a]",
    run_id="0123456789abcdef",
    shards=3,
    rows=1_234_567,
    translated=1_234_000,
    rejected={"empty": 560, "too_long": 7},
    failed=7,
    source_tokens=10,
    target_tokens=9,
    audited=200,
    agreed=199,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (61, "1 min 1 s"),
        (3_661, "1 h 1 min"),
        (9e6, "2,500 h 0 min"),
    ],
)
def test_durations_are_readable(seconds, text):
    assert display._duration(seconds) == text


def test_progress_says_speed_share_and_rest():
    text = display._progress_text(Progress(rows=500, shards=1, rejected=3, elapsed_s=10.0), 2_000)
    assert text == "500/2,000 rows, 50 rows/s, 3 rejected, 30 s left"


def test_nothing_is_known_before_the_first_row():
    text = display._progress_text(Progress(rows=0, shards=0, rejected=0, elapsed_s=0.0), 2_000)
    assert text == "0/2,000 rows, 0 rows/s, 0 rejected, unknown left"


def test_the_summary_accounts_for_all_rows_and_names_the_place(capsys):
    display.show_summary(SUMMARY)
    shown = capsys.readouterr().out
    assert "1,234,000 of 1,234,567 rows" in shown
    assert "567 (560 empty, 7 too_long)" in shown
    assert "199 of 200 sampled texts come out the same without it" in shown
    assert "out/[a]" in shown


def test_a_pool_that_fails_to_verify_shows_each_fault(capsys):
    display.show_verdict(Verdict(2, 10, ("out/data/a.parquet: missing", "out/_SUCCESS: missing")))
    shown = capsys.readouterr().out
    assert "out/data/a.parquet: missing" in shown
    assert "2 faults: 10 rows in 2 shards checked" in shown


def test_an_error_goes_to_stderr_and_gives_its_exit_code(capsys):
    assert display.show_error(OutputMismatchError("out [x] holds run 1")) == 4
    shown = capsys.readouterr()
    assert shown.err == "error out [x] holds run 1\n"
    assert shown.out == ""


def test_ci_gets_no_progress_lines(capsys, monkeypatch):
    monkeypatch.setenv("CI", "true")
    watcher = display.TerminalWatcher()
    watcher._line._logged = -1e9
    watcher.progressed(Progress(1, 0, 0, 1.0))
    assert capsys.readouterr().out == ""
    monkeypatch.delenv("CI")
    watcher.progressed(Progress(1, 0, 0, 1.0))
    assert "1/0 rows" in capsys.readouterr().out


def test_the_plan_says_what_is_left(capsys):
    class Plan:
        rows = 100
        shards = (type("Shard", (), {"rows": 60})(), type("Shard", (), {"rows": 40})())

    pool = Pool(workers=2, cpus=1, gpus=0, choice=Choice("ctranslate2", "int8", "cpu"))
    display.TerminalWatcher().planned(Plan, Plan.shards[1:], pool)
    shown = capsys.readouterr().out
    assert "100 in 2 shards" in shown
    assert "2 with 1 CPU each" in shown
    assert "ctranslate2, int8" in shown
    assert "40 rows in 1 shards; the rest is committed" in shown


def write_data(storage, name, sources):
    buffer = io.BytesIO()
    table = pa.table({"source_text": sources, "translation": [text.upper() for text in sources]})
    pq.write_table(table, buffer)
    storage.publish(f"data/{name}.parquet", buffer.getvalue())


def test_samples_are_short_distinct_and_from_all_files(tmp_path):
    storage = Storage(str(tmp_path))
    write_data(storage, "a", ["hi", "hi", "x" * 500, "you"])
    write_data(storage, "b", ["hi", "there", "friend"])
    pairs = sample_pairs(storage, 4)
    assert pairs == [("hi", "HI"), ("you", "YOU"), ("there", "THERE"), ("friend", "FRIEND")]


def test_an_output_without_rows_has_no_samples(tmp_path):
    assert sample_pairs(Storage(str(tmp_path)), 4) == []
