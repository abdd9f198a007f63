"""The pseudogloss job as a whole: every kind of teacher, over real clients and loopback servers."""

import json

import pytest
from labeling import API_KEY, KEY_NAME, config, corpus, labeled_at_last, rows_of, teacher
from teacher_faults import Faults
from teacher_server import MODEL, true_gloss

from aslbatch.errors import (
    ConfigError,
    LostJobError,
    QualityAlarmError,
    SourceError,
    TeacherError,
)
from aslbatch.pipelines.label_dry_run import dry_run
from aslbatch.pipelines.label_retry import retry_labels
from aslbatch.pipelines.pseudogloss import pseudogloss
from aslbatch.pipelines.status import status
from aslbatch.pipelines.verify import verify
from aslbatch.provenance.hashing import source_hash
from aslbatch.storage.folder import Storage

KINDS = ("gemini", "openai_batch", "chat")

pytestmark = pytest.mark.usefixtures("cluster", "workplace")


def check_all_true(folder):
    """Check that every row of a folder is glossed as the teacher meant it, and return the rows."""
    rows = rows_of(folder / "data")
    wrong = [row for row in rows if row["translation"] != true_gloss(row["source_text"])]
    assert not wrong
    assert all(row["source_hash"] == source_hash(row["source_text"]) for row in rows)
    return rows


def no_key_in(folder):
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 5
    assert not [file for file in files if API_KEY.encode() in file.read_bytes()]


@pytest.mark.parametrize("kind", KINDS)
def test_each_text_is_asked_once_and_every_row_accounted_for(kind, workplace):
    texts = corpus(workplace, 150, repeats=30)
    with teacher(kind) as server:
        labeled = pseudogloss(config(kind, server.base))
        assert set(server.paid) == {source_hash(text) for text in texts}
        assert set(server.paid.values()) == {1}
        paid = server.paid.copy()
        pseudogloss(config(kind, server.base))
        assert server.paid == paid
    assert (labeled.summary.rows, labeled.summary.translated) == (151, 150)
    assert labeled.summary.rejected == {"no_words": 1}
    rows = check_all_true(workplace / "out")
    assert {row["origin"] for row in rows} == {"teacher"}
    assert {row["attempts"] for row in rows} == {1}
    assert verify(Storage("out")).faults == ()
    no_key_in(workplace / "out")
    note = json.loads((workplace / "out/teacher.json").read_text())
    assert note["glossed"] == note["texts"] == note["answers"] == 120
    assert note["usage"]["input_tokens"] > 0
    assert "machine-made gloss" in (workplace / "out/README.md").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_with_all_faults_nothing_wrong_is_accepted_and_little_paid_in_vain(kind, workplace):
    texts = corpus(workplace, 300, repeats=60)
    with teacher(kind, Faults.everywhere(0.04, seed=3)) as server:
        # Which requests are met by faults depends on the name of the run, here another each time.
        careless = {"run__min_usable_share": 0.0, "run__give_up_lost_jobs": True}
        labeled_at_last(config(kind, server.base, **careless))
        assert server.happened
        assert sum(server.faulty.values()) > 20
        needed = {source_hash(text) for text in texts}
        assert set(server.paid) <= needed
        # Every payment but the first of a text follows an answer that was spoiled.
        in_vain = sum(max(0, n - 1 - server.faulty[name]) for name, n in server.paid.items())
        assert in_vain <= 0.01 * len(needed)
    check_all_true(workplace / "out")
    rejected = rows_of(workplace / "out/rejected")
    assert {row["reject_reason"] for row in rejected} <= {
        "no_words", "refused", "missing_answer", "repeated_answer", "misplaced_answer", "cut_off",
        "invalid_json", "invalid_gloss", "looping", "wrong_language", "service_error",
    }  # fmt: skip
    assert verify(Storage("out")).faults == ()
    no_key_in(workplace / "out")


def test_retry_asks_again_for_what_was_given_up_and_for_nothing_else(workplace):
    corpus(workplace, 120)
    with teacher("gemini", Faults(truncated=0.4, seed=1)) as server:
        labeled = pseudogloss(
            config("gemini", server.base, run__max_attempts=1, run__min_usable_share=0.0)
        )
        failed = labeled.summary.failed
        assert failed > 10
        asked = status(Storage("out")).asked
        assert (asked.texts, asked.glossed, asked.failed) == (120, 120 - failed, failed)
        assert not asked.under_way
        before = server.paid.copy()
        server.faults = Faults()
        again = retry_labels(Storage("out"), "out")
        assert sum((server.paid - before).values()) == failed
    assert again.summary.failed == 0
    assert len(check_all_true(workplace / "out")) == 120
    assert verify(Storage("out")).faults == ()


def test_what_is_wrong_is_told_before_anything_is_sent(workplace, monkeypatch):
    corpus(workplace, 40)
    prices = {"prices": {MODEL: {"input": 1000.0, "output": 1000.0}}}
    with teacher("gemini") as server:
        monkeypatch.setenv(KEY_NAME, "wrong")
        with pytest.raises(ConfigError, match=KEY_NAME) as refused:
            pseudogloss(config("gemini", server.base))
        monkeypatch.delenv(KEY_NAME)
        with pytest.raises(ConfigError, match=KEY_NAME) as missing:
            pseudogloss(config("gemini", server.base))
        monkeypatch.setenv(KEY_NAME, API_KEY)
        with pytest.raises(ConfigError, match="no-such") as unknown:
            pseudogloss(config("gemini", server.base, teacher__model="no-such"))
        with pytest.raises(ConfigError, match=r"cost\.max_cost is 0\.01") as poor:
            pseudogloss(config("gemini", server.base, cost={**prices, "max_cost": 0.01}))
        for error in (refused, missing, unknown, poor):
            assert "\n" not in error.value.message
            assert "wrong" not in error.value.message.split(KEY_NAME)[0]
        assert not server.files
        assert not server.jobs
    assert not (workplace / "out").exists()


def test_a_budget_is_never_passed_and_more_of_it_goes_on(workplace):
    texts = corpus(workplace, 120)
    prices = {"prices": {MODEL: {"input": 1.0, "output": 1.0}}}
    with teacher("gemini") as server:
        expected = dry_run(config("gemini", server.base, cost=prices))
        assert expected.requests == 120
        assert expected.counted
        assert not server.jobs
        # Enough, were it not for all the answers that are of no use.
        limit = float(expected.cost) * 1.05
        server.faults = Faults(truncated=0.7, seed=2)
        with pytest.raises(TeacherError, match=r"could pass cost\.max_cost") as poor:
            pseudogloss(
                config(
                    "gemini",
                    server.base,
                    cost={**prices, "max_cost": limit},
                    run__min_usable_share=0.0,
                    run__max_attempts=50,
                )
            )
        assert limit / 2 < float(poor.value.message.split()[0]) <= limit
        server.faults = Faults()
        labeled = pseudogloss(config("gemini", server.base, cost=prices))
        assert set(server.paid) == set(map(source_hash, texts))
        assert {n - server.faulty[name] for name, n in server.paid.items()} == {1}
    assert labeled.note["cost"]["amount"] > limit
    assert labeled.summary.translated == 120


def test_a_source_column_with_a_name_of_ours_is_refused(workplace):
    with teacher("gemini") as server:
        (workplace / "a.parquet").unlink(missing_ok=True)
        (workplace / "a.jsonl").write_text('{"text": "Hello there.", "job": "x"}\n')
        with pytest.raises(Exception, match="'job'"):
            pseudogloss(config("gemini", server.base, source={"paths": "a.jsonl"}))
        assert not server.jobs


def test_answers_of_no_use_halt_the_run_and_longer_ones_go_on_with_it(workplace):
    corpus(workplace, 200)
    with teacher("gemini", Faults(truncated=1.0)) as server:
        job = config("gemini", server.base, run__max_jobs=1, run__job_requests=40)
        with pytest.raises(QualityAlarmError, match=r"only 0 of the last 40 answers are usable"):
            pseudogloss(job)
        assert len(server.jobs) == 2
        server.faults = Faults()
        done = pseudogloss(config("gemini", server.base, teacher__max_output_tokens=2_000))
    assert done.summary.translated == 200


def test_a_corpus_without_a_word_needs_no_teacher(workplace):
    (workplace / "a.jsonl").write_text('{"text": "..."}\n{"text": ""}\n')
    done = pseudogloss(config("gemini", "http://127.0.0.1:9", source={"paths": "a.jsonl"}))
    assert (done.summary.translated, done.summary.failed) == (0, 0)
    assert verify(Storage("out")).faults == ()


def test_jobs_that_end_without_any_answer_cost_no_attempt_and_not_for_ever(workplace):
    corpus(workplace, 40)
    with teacher("gemini", Faults(failed=1.0)) as server:
        job = config("gemini", server.base, run__max_jobs=1)
        with pytest.raises(TeacherError, match="3 jobs in a row ended without an answer"):
            pseudogloss(job)
        assert len(server.jobs) == 3
        server.faults = Faults()
        labeled = pseudogloss(job)
        assert set(server.paid.values()) == {1}
    assert labeled.summary.translated == 40
    assert {row["attempts"] for row in check_all_true(workplace / "out")} == {1}


def test_a_job_that_the_service_does_not_know_is_asked_again_only_where_that_is_said(workplace):
    corpus(workplace, 40)
    with teacher("gemini") as server:
        server.polls_to_end = 10**9
        job = config("gemini", server.base)

        def stop(progress):
            if progress.state == "waiting for answers":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pseudogloss(job, show=stop)
        server.jobs.clear()
        server.polls_to_end = 3
        with pytest.raises(LostJobError, match=r"run\.give_up_lost_jobs: true"):
            pseudogloss(job)
        assert not server.jobs
        labeled = pseudogloss(config("gemini", server.base, run__give_up_lost_jobs=True))
    assert labeled.summary.translated == 40


def test_what_is_committed_is_asked_for_again_by_retry_alone_but_gold_may_be_added(workplace):
    corpus(workplace, 60)
    with teacher("gemini", Faults(truncated=0.5, seed=4)) as server:
        once = {"run__max_attempts": 1, "run__min_usable_share": 0.0}
        first = pseudogloss(config("gemini", server.base, **once))
        assert first.summary.failed
        server.faults = Faults()
        paid = sum(server.paid.values())
        gold = [{"id": "1", "source": "Two dogs sleep.", "target": "SLEEP TWO DOGS"}]
        (workplace / "gold.jsonl").write_text("\n".join(map(json.dumps, gold)))
        more = pseudogloss(
            config("gemini", server.base, gold={"paths": "gold.jsonl"}, run__min_usable_share=0.0)
        )
        assert sum(server.paid.values()) == paid + 1
    assert more.summary.failed == first.summary.failed
    assert more.note["gold"]["rows"] == 1
    assert more.note["gold"]["teacher"]["exact match"]["value"] == 100.0
    assert verify(Storage("out")).faults == ()


def test_two_teachers_are_compared_and_another_folder_is_told_before_anything_is_paid(workplace):
    corpus(workplace, 30)
    with teacher("gemini") as server:
        with pytest.raises(ConfigError, match=r"compare_with: .*nowhere"):
            pseudogloss(config("gemini", server.base, compare_with="nowhere"))
        assert not server.jobs
        pseudogloss(config("gemini", server.base))
    with teacher("chat") as server:
        labeled = pseudogloss(
            config("chat", server.base, sink={"path": "other"}, compare_with="out")
        )
    assert labeled.note["agreement"]["rows"] == 30
    assert labeled.note["agreement"]["scores"]["exact match"]["value"] == 100.0
    assert "Against another teacher" in (workplace / "other/README.md").read_text()


def test_examples_are_shown_recorded_and_kept_out_of_gold(workplace):
    corpus(workplace, 20)
    examples = [
        {"id": f"e{n}", "source": f"I see {n} cats.", "target": f"CATS I SEE {n}"} for n in range(5)
    ]
    (workplace / "shots.jsonl").write_text("\n".join(map(json.dumps, examples)))
    prompt = {"examples": "shots.jsonl", "count": 3, "selection": "nearest"}
    with teacher("gemini") as server:
        labeled = pseudogloss(config("gemini", server.base, prompt=prompt))
        with pytest.raises(SourceError, match=r"gold\.paths"):
            pseudogloss(config("gemini", server.base, prompt=prompt, gold={"paths": "shots.jsonl"}))
    assert labeled.note["few_shot_ids"] == [f"e{n}" for n in range(5)]
    rows = check_all_true(workplace / "out")
    assert all(len(row["examples"]) == 3 for row in rows)
    assert {row["prompt_sha256"] for row in rows} == {labeled.note["prompt"]["sha256"]}
