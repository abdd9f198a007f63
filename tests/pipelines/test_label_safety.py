"""What a labeling must not do, whatever happens: pay twice or too much, show keys, mix runs."""

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import teacher_server
from labeling import (
    API_KEY,
    KEY_NAME,
    PRICES,
    answers_of,
    config,
    corpus,
    journal_of,
    rows_of,
    teacher,
)
from teacher_faults import Faults
from teacher_server import MODEL, true_gloss

from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.errors import (
    ConfigError,
    LostAnswerError,
    LostJobError,
    OutputMismatchError,
    QualityAlarmError,
    SinkError,
    TeacherError,
)
from aslbatch.labeling.gemini import GeminiBatch
from aslbatch.pipelines.claim import LABELING, claimed
from aslbatch.pipelines.label_retry import retry_labels
from aslbatch.pipelines.pseudogloss import pseudogloss
from aslbatch.pipelines.verify import verify
from aslbatch.provenance.hashing import source_hash
from aslbatch.storage.folder import Storage

pytestmark = pytest.mark.usefixtures("cluster", "workplace")


def stopped_when(state: str, job: PseudoglossConfig) -> None:
    """Run a job and interrupt it when it is so far."""

    def stop(progress):
        if progress.state.startswith(state):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pseudogloss(job, show=stop)


@contextmanager
def lost_creates(monkeypatch, *, listed: bool):
    """Make jobs whose creation is not told, and that no listing shows unless `listed`."""
    create = GeminiBatch.create

    def untold(self, file, name):
        create(self, file, name)
        raise LostAnswerError(f"500 for {name}")

    with monkeypatch.context() as patch:
        patch.setattr(GeminiBatch, "create", untold)
        if not listed:
            patch.setattr(GeminiBatch, "find", lambda *_: [])
        yield


def test_another_run_deletes_neither_what_is_under_way_nor_what_is_written(workplace):
    corpus(workplace, 40)
    with teacher("gemini") as server:
        server.polls_to_end = 10**9
        job = config("gemini", server.base)
        other = config("gemini", server.base, prompt={"seed": 1, "selection": "random"})
        stopped_when("waiting", job)
        with pytest.raises(OutputMismatchError):
            pseudogloss(other)
        with pytest.raises(SinkError, match=r"1 jobs of its run .* under way .*: batches/"):
            pseudogloss(other, overwrite=True)
        server.polls_to_end = 3
        first = pseudogloss(job)
        with claimed(Storage("out"), LABELING), pytest.raises(SinkError, match="at work there"):
            pseudogloss(other, overwrite=True)
        second = pseudogloss(other, overwrite=True)
    assert first.summary.run_id != second.summary.run_id
    assert [path.name for path in (workplace / "out/_teacher").iterdir()] == [second.summary.run_id]
    assert verify(Storage("out")).faults == ()


def test_gold_may_change_between_a_stop_and_the_next_start(workplace):
    texts = corpus(workplace, 30)
    with teacher("gemini") as server:
        server.polls_to_end = 10**9
        for name, ids in (("old", range(8)), ("new", range(4, 12))):
            rows = [{"id": n, "source": f"Gold {n} shines.", "target": "SHINE"} for n in ids]
            (workplace / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        stopped_when("waiting", config("gemini", server.base, gold={"paths": "old.jsonl"}))
        server.polls_to_end = 3
        done = pseudogloss(config("gemini", server.base, gold={"paths": "new.jsonl"}))
        assert set(server.paid.values()) == {1}
        assert len(server.paid) == len(texts) + 12
        without = pseudogloss(config("gemini", server.base))
        again = retry_labels(Storage("out"), "out")
        assert set(server.paid.values()) == {1}
    assert done.note["gold"]["rows"] == 8
    assert without.note["gold"] is None
    assert again.note["gold"]["rows"] == 8  # of the configuration that the run began with
    assert without.summary.translated == 30
    assert verify(Storage("out")).faults == ()


@pytest.mark.parametrize("kind", ["gemini", "openai_batch", "chat"])
def test_a_service_that_quotes_the_key_gets_it_into_no_file(kind, workplace, monkeypatch):
    corpus(workplace, 40)

    def quoting(good):
        said = f"Internal error of {API_KEY}: {'x' * 150} {API_KEY}"
        return replace(good, kind=teacher_server.Kind.ERROR, text="", detail=said)

    monkeypatch.setattr("teacher_faults.failed", quoting)
    with teacher(kind, Faults(error_lines=0.5)) as server:
        pseudogloss(config(kind, server.base, run__min_usable_share=0.0, run__max_attempts=1))
        assert server.faulty
    files = [file for file in (workplace / "out").rglob("*") if file.is_file()]
    assert not [file for file in files if API_KEY.encode() in file.read_bytes()]
    # Parquet may hold it compressed.
    rejected = rows_of(workplace / "out/rejected")
    said = [row["reject_detail"] for row in rejected if row["reject_reason"] == "service_error"]
    assert said
    assert not [text for text in said if API_KEY[:8] in text or "***" not in text]
    assert API_KEY[:8] not in str(answers_of("out"))


def test_retry_works_where_the_folder_is_whatever_the_configuration_says(workplace):
    corpus(workplace, 40)
    with teacher("gemini", Faults(truncated=0.5, seed=1)) as server:
        once = {"run__max_attempts": 1, "run__min_usable_share": 0.0}
        assert pseudogloss(config("gemini", server.base, **once)).summary.failed
        (workplace / "out").rename(workplace / "moved")
        server.faults = Faults()
        done = retry_labels(Storage("moved"), "moved", config=config("gemini", server.base, **once))
    assert done.summary.failed == 0
    assert not (workplace / "out").exists()
    assert verify(Storage("moved")).faults == ()


def test_jobs_that_succeed_with_nothing_in_them_are_paid_so_often_and_not_more(workplace):
    corpus(workplace, 30)
    with teacher("gemini", Faults(missing_lines=1.0)) as server:
        job = config("gemini", server.base, run__max_attempts=4)
        with pytest.raises(TeacherError, match="3 jobs in a row ended without an answer"):
            pseudogloss(job)
        done = pseudogloss(job)
        paid = sum(server.paid.values())
        pseudogloss(job)
        assert paid == sum(server.paid.values()) == 4 * 30
    assert done.summary.rejected["missing_answer"] == 30


@pytest.mark.parametrize("kind", ["gemini", "openai_batch"])
def test_what_a_job_did_not_get_to_before_it_ended_was_not_tried(kind, workplace):
    corpus(workplace, 40)
    with teacher(kind, Faults(expired=1.0)) as server:

        def stop(progress):
            if progress.glossed:
                server.faults = Faults()

        done = pseudogloss(config(kind, server.base, run__max_attempts=1), show=stop)
        assert next(job.ending for job in server.jobs.values()) == "EXPIRED"
        assert set(server.paid.values()) == {1}
    assert done.summary.translated == 40
    assert {row["attempts"] for row in rows_of(workplace / "out/data")} == {1}


def test_a_job_that_no_listing_shows_is_created_twice_and_then_asked_about(workplace, monkeypatch):
    corpus(workplace, 20)
    with teacher("gemini") as server:
        job = config("gemini", server.base)
        with lost_creates(monkeypatch, listed=False):
            for _ in range(2):
                with pytest.raises(TeacherError, match=r"run\.give_up_lost_jobs: true"):
                    pseudogloss(job)
                assert len(server.jobs) == 2
        cost = {"prices": PRICES}
        sure = config("gemini", server.base, run__give_up_lost_jobs=True, cost=cost)
        with monkeypatch.context() as patch:
            patch.setattr(GeminiBatch, "find", lambda *_: [])
            done = pseudogloss(sure)
        assert len(server.jobs) == 3
    assert len(done.note["jobs"][0]["possible_orphans"]) == 2
    assert done.note["cost"]["uncounted_at_most"] > 2 * done.note["cost"]["amount"]


def test_jobs_that_are_listed_later_are_no_orphans(workplace, monkeypatch):
    corpus(workplace, 20)
    with teacher("gemini") as server:
        with (
            lost_creates(monkeypatch, listed=False),
            pytest.raises(TeacherError, match="may have been created 2 times"),
        ):
            pseudogloss(config("gemini", server.base))
        server.page_entries = 10
        done = pseudogloss(config("gemini", server.base, cost={"prices": PRICES}))
        assert len(server.jobs) == 2
    # Two are there: one is used, and the other is surely paid for in vain.
    (job,) = done.note["jobs"]
    assert [note.split()[1:4] for note in job["possible_orphans"]] == [["has", "the", "name"]]


@pytest.mark.parametrize("kind", ["gemini", "openai_batch"])
def test_a_service_that_is_too_busy_to_make_a_job_is_waited_for(kind, workplace):
    corpus(workplace, 40)
    with teacher(kind, Faults(unavailable=0.3, seed=3)) as server:
        cost = {"prices": PRICES}
        done = pseudogloss(config(kind, server.base, cost=cost, run__job_requests=10))
        assert server.happened["unavailable"] > 3
        assert len(server.jobs) == 4
    assert [job["possible_orphans"] for job in done.note["jobs"]] == [[]] * 4
    assert done.note["cost"]["uncounted_at_most"] == 0


@pytest.mark.parametrize("kind", ["gemini", "openai_batch"])
def test_where_temporary_files_have_no_room_that_is_said_and_what_is_there_is_fetched(
    kind, workplace, monkeypatch
):
    corpus(workplace, 40)
    with teacher(kind) as server:
        job = config(kind, server.base, run__job_requests=10)

        def fill(request, response):
            if response is not None and len(server.jobs) == 2:
                patch.setattr("tempfile.TemporaryFile", partial(Path("/dev/full").open, "w+b"))

        with monkeypatch.context() as patch:
            server.watch = fill
            with pytest.raises(TeacherError, match=r"No space left on device\): set TMPDIR to"):
                pseudogloss(job)
        server.watch = lambda *_: None
        # Answers of Gemini go through such a file too; those of the other are fetched.
        assert len(answers_of("out")) == (0 if kind == "gemini" else 20)
        assert pseudogloss(job).summary.translated == 40
        assert set(server.paid.values()) == {1}


@pytest.mark.parametrize("kind", ["gemini", "openai_batch"])
def test_a_service_with_no_room_for_more_has_it_once_jobs_are_fetched(kind, workplace):
    corpus(workplace, 40)
    with teacher(kind) as server:
        server.most_waiting = 1
        done = pseudogloss(config(kind, server.base, run__job_requests=10))
        assert done.summary.translated == 40
        assert server.happened["no_room"] >= 3
        assert set(server.paid.values()) == {1}
        assert len(server.jobs) == len(done.note["jobs"]) == 4
    assert [job["possible_orphans"] for job in done.note["jobs"]] == [[]] * 4


def test_a_service_that_never_has_room_ends_the_run_and_fetches_what_is_there(workplace):
    corpus(workplace, 40)
    with teacher("gemini") as server:
        job = config("gemini", server.base, run__job_requests=10, run__patience_s=0.3)

        def close(request, response):
            if response is not None and "batchGenerateContent" in request.path:
                server.most_waiting = 0

        server.watch = close
        with pytest.raises(TeacherError, match=r"too much is waiting; .* lower run\.job_requests"):
            pseudogloss(job)
        assert len(answers_of("out")) == 10
        assert Counter(each.state for each in journal_of("out").jobs()) == {
            "ended": 1,
            "planned": 1,
        }
        server.watch, server.most_waiting = lambda *_: None, None
        assert pseudogloss(job).summary.translated == 40
        assert set(server.paid.values()) == {1}


@pytest.mark.parametrize("fault", [TeacherError("no money"), LostAnswerError("broken")])
def test_what_is_under_way_is_fetched_though_the_next_job_cannot_be_made(
    fault, workplace, monkeypatch
):
    corpus(workplace, 40)
    create, made = GeminiBatch.create, []

    def twice(self, file, name):
        if len(made) == 2:
            raise fault
        made.append(name)
        return create(self, file, name)

    with teacher("gemini") as server:
        job = config("gemini", server.base, run__job_requests=10)
        with monkeypatch.context() as patch:
            patch.setattr(GeminiBatch, "create", twice)
            with pytest.raises(TeacherError, match=r"no money|broken"):
                pseudogloss(job)
        assert journal_of("out").answers.stems() == ["000001", "000002"]
        sure = config("gemini", server.base, run__job_requests=10, run__give_up_lost_jobs=True)
        assert pseudogloss(sure).summary.translated == 40
        assert set(server.paid.values()) == {1}


def test_a_job_that_is_gone_keeps_no_other_from_being_fetched(workplace):
    corpus(workplace, 40)
    with teacher("gemini") as server:
        server.polls_to_end = 10**9
        job = config("gemini", server.base, run__job_requests=20)
        stopped_when("waiting", job)
        server.polls_to_end = 3
        del server.jobs[next(iter(server.jobs))]
        with pytest.raises(LostJobError, match=r"run\.give_up_lost_jobs: true"):
            pseudogloss(job)
        assert journal_of("out").answers.stems() == ["000002"]
        cost = {"prices": PRICES}
        done = pseudogloss(config("gemini", server.base, run__give_up_lost_jobs=True, cost=cost))
    assert done.summary.translated == 40
    assert done.note["cost"]["uncounted_at_most"] > 0


def test_a_job_that_is_not_known_at_once_is_looked_for_again(workplace, monkeypatch):
    corpus(workplace, 20)
    poll, polls = GeminiBatch.poll, []

    def lagging(self, job):
        polls.append(job)
        if len(polls) <= 2:
            raise LostJobError("404")
        return poll(self, job)

    monkeypatch.setattr(GeminiBatch, "poll", lagging)
    with teacher("gemini") as server:
        pseudogloss(config("gemini", server.base, run__give_up_lost_jobs=True))
        assert len(server.jobs) == 1


def test_jobs_that_are_never_known_are_not_paid_for_ever(workplace, monkeypatch):
    corpus(workplace, 20)

    def unknown(*_):
        raise LostJobError("404")

    monkeypatch.setattr(GeminiBatch, "poll", unknown)
    with teacher("gemini") as server:
        job = config("gemini", server.base, run__give_up_lost_jobs=True, run__max_attempts=4)
        with pytest.raises(TeacherError, match="3 jobs in a row ended without an answer"):
            pseudogloss(job)
        for _ in range(2):
            done = pseudogloss(job)
        assert set(server.paid.values()) == {4}
    assert done.summary.rejected["missing_answer"] == 20


def test_answers_of_one_job_that_cannot_be_had_keep_no_other_from_being_fetched(
    workplace, monkeypatch
):
    corpus(workplace, 40)
    fetch, jobs = GeminiBatch.fetch, []

    def broken(self, job):
        jobs.append(job)
        if job == jobs[0]:
            raise TeacherError("500 for ever")
        return fetch(self, job)

    with teacher("gemini") as server:
        job = config("gemini", server.base, run__job_requests=20)
        with monkeypatch.context() as patch:
            patch.setattr(GeminiBatch, "fetch", broken)
            with pytest.raises(TeacherError, match="500 for ever"):
                pseudogloss(job)
        assert len(journal_of("out").answers.stems()) == 1
        assert pseudogloss(job).summary.translated == 40
        assert set(server.paid.values()) == {1}


def test_a_service_that_cannot_list_its_jobs_keeps_none_from_being_fetched(workplace, monkeypatch):
    corpus(workplace, 40)
    create, made = GeminiBatch.create, []

    def unlisted(*_):
        raise TeacherError("404: no such route")

    def once(self, file, name):
        if made:
            raise LostAnswerError("broken")
        made.append(name)
        return create(self, file, name)

    with teacher("gemini") as server:
        monkeypatch.setattr(GeminiBatch, "find", unlisted)
        with monkeypatch.context() as patch:
            patch.setattr(GeminiBatch, "create", once)
            with pytest.raises(TeacherError, match="no such route"):
                pseudogloss(config("gemini", server.base, run__job_requests=20))
        assert journal_of("out").answers.stems() == ["000001"]
        sure = config("gemini", server.base, run__job_requests=20, run__give_up_lost_jobs=True)
        assert pseudogloss(sure).summary.translated == 40
        assert set(server.paid.values()) == {1}


def test_answers_that_are_gone_are_asked_for_again_where_that_is_said(workplace, monkeypatch):
    corpus(workplace, 20)

    def gone(*_):
        raise LostJobError("404: no such file")

    with teacher("gemini") as server:
        with monkeypatch.context() as patch:
            patch.setattr(GeminiBatch, "fetch", gone)
            with pytest.raises(LostJobError, match=r"run\.give_up_lost_jobs: true"):
                pseudogloss(config("gemini", server.base))
        assert len(server.jobs) == 1
        server.jobs.clear()
        sure = config("gemini", server.base, run__give_up_lost_jobs=True)
        assert pseudogloss(sure).summary.translated == 20


def test_a_run_that_is_deleted_before_it_has_the_claim_pays_nothing(workplace, monkeypatch):
    corpus(workplace, 20)
    with teacher("gemini") as server:
        other = config("gemini", server.base, prompt={"seed": 1, "selection": "random"})

        @contextmanager
        def late(storage, task):
            monkeypatch.setattr("aslbatch.pipelines.pseudogloss.claimed", claimed)
            pseudogloss(other, overwrite=True)
            with claimed(storage, task) as holder:
                yield holder

        monkeypatch.setattr("aslbatch.pipelines.pseudogloss.claimed", late)
        with pytest.raises(OutputMismatchError):
            pseudogloss(config("gemini", server.base))
        assert set(server.paid.values()) == {1}
    assert verify(Storage("out")).faults == ()


def test_nothing_is_deleted_that_may_be_under_way_though_the_record_is_damaged(workplace):
    corpus(workplace, 20)
    with teacher("gemini") as server:
        server.polls_to_end = 10**9
        job = config("gemini", server.base)
        stopped_when("waiting", job)
        (workplace / "out/_plan/run.json").write_text("{")
        with pytest.raises(SinkError, match=r"_teacher holds what a teacher was asked"):
            pseudogloss(job, overwrite=True)
        assert len(server.jobs) == 1


def test_a_useless_teacher_is_noticed_though_all_texts_are_in_one_job(workplace):
    corpus(workplace, 60)
    with teacher("gemini", Faults(looping=1.0)) as server:
        with pytest.raises(QualityAlarmError, match="looping"):
            pseudogloss(config("gemini", server.base))
        assert sum(server.paid.values()) == 2 * 60
        server.faults = Faults()
        pseudogloss(config("gemini", server.base))


def test_a_retry_goes_on_with_unfit_texts_and_halts_where_nothing_is_usable(workplace):
    corpus(workplace, 60)
    once = {"run__max_attempts": 1, "run__min_usable_share": 0.0}
    with teacher("gemini", Faults(looping=1.0)) as server:
        pseudogloss(config("gemini", server.base, **once))
        paid = sum(server.paid.values())
        again = config("gemini", server.base, run__max_attempts=5, run__min_usable_share=0.5)
        with pytest.raises(QualityAlarmError, match="looping"):
            retry_labels(Storage("out"), "out", config=again)
        assert sum(server.paid.values()) == paid + 2 * 60
        server.faults = Faults(looping=0.9, seed=1)
        retry_labels(Storage("out"), "out", config=again)


def test_a_record_of_a_job_that_is_missing_is_asked_for(workplace):
    corpus(workplace, 40)
    with teacher("gemini") as server:
        server.polls_to_end = 10**9
        job = config("gemini", server.base, run__job_requests=10)
        stopped_when("waiting", job)
        records = sorted((workplace / "out/_teacher").glob("*/jobs/*.json"))
        assert len(records) == 4
        kept = records[1].read_bytes()
        records[1].unlink()
        paid = server.paid.copy()
        with pytest.raises(SinkError, match=r"jobs/000002\.json is missing; restore it"):
            pseudogloss(job)
        assert server.paid == paid
        records[1].write_bytes(kept)
        server.polls_to_end = 3
        assert pseudogloss(job).summary.translated == 40


def test_what_was_paid_for_is_fetched_though_nothing_more_may_be_asked(workplace):
    corpus(workplace, 40)
    with teacher("gemini") as server:
        server.polls_to_end = 10**9
        job = config("gemini", server.base, run__job_requests=10, run__max_jobs=2)
        stopped_when("waiting", job)
        server.polls_to_end = 3
        server.models = ("teacher-2",)
        with pytest.raises(ConfigError, match=MODEL):
            pseudogloss(job)
        assert len(server.jobs) == 2
        assert len(answers_of("out")) == 20
        server.models = (MODEL,)
        with pytest.raises(ConfigError, match=r"cost\.max_cost is 0\.001"):
            pseudogloss(config("gemini", server.base, cost={"prices": PRICES, "max_cost": 0.001}))
        assert pseudogloss(job).summary.translated == 40
        assert set(server.paid.values()) == {1}


def test_a_wrong_key_is_told_as_such_when_jobs_are_under_way(workplace, monkeypatch):
    corpus(workplace, 20)
    with teacher("openai_batch") as server:
        server.polls_to_end = 10**9
        job = config("openai_batch", server.base, run__patience_s=0.1)
        stopped_when("waiting", job)
        monkeypatch.setenv(KEY_NAME, "wrong")
        with pytest.raises(ConfigError, match=KEY_NAME):
            pseudogloss(job)


def test_some_unfit_texts_halt_no_run(workplace):
    corpus(workplace, 300)
    with teacher("gemini") as server:
        unfit = {text for n, text in enumerate(sorted(corpus(workplace, 300))) if n % 8 == 0}
        server.truth = lambda text: "..." if text in unfit else true_gloss(text)
        done = pseudogloss(config("gemini", server.base, run__max_jobs=1, run__max_attempts=5))
        assert Counter(server.paid.values()) == {1: 262, 5: 38}
    assert done.summary.rejected["invalid_gloss"] == 38


def test_vllm_works_for_two_folders_and_leaves_nothing_behind(workplace, monkeypatch):
    corpus(workplace, 20)
    temporary = workplace / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with teacher("vllm") as server:
        monkeypatch.setenv("FAKE_VLLM_URL", server.url)
        for path in ("out", "other"):
            done = pseudogloss(config("vllm", None, sink={"path": path}))
            assert done.summary.translated == 20
    assert not [path.name for path in temporary.glob("aslbatch-vllm-*")]


def test_no_key_is_taken_from_a_configuration_or_shown():
    pasted = "AIzaSyA-pasted-key-0123"
    for section, words in (
        ({"api_key_env": pasted}, "name of an environment variable"),
        ({"command": ["vllm", "--hf-token", pasted]}, "into the environment"),
        ({"command": ["vllm", f"--api-key={pasted}"]}, "into the environment"),
    ):
        with pytest.raises(ValueError, match=words) as refused:
            PseudoglossConfig.model_validate(
                {
                    "source": {"paths": "a.jsonl"},
                    "teacher": {"kind": "gemini", "model": MODEL, **section},
                    "sink": {"path": "out"},
                }
            )
        assert pasted not in str(refused.value.errors()[0]["ctx"]["error"])


def test_an_answer_is_one_of_its_text_though_two_runs_had_one_journal(workplace):
    corpus(workplace, 20)
    with teacher("gemini") as server:
        pseudogloss(config("gemini", server.base))
    (stem,) = journal_of("out").answers.stems()
    answers = journal_of("out").answers
    with pytest.raises(SinkError, match="written by another process"):
        answers.keep(stem, [], {}, job="batches/other", day="2026-01-01")
    assert {row["source_hash"] for row in answers.read(stem).to_pylist()} == {
        source_hash(row["source_text"]) for row in rows_of(workplace / "out/data")
    }


def test_chats_under_way_are_kept_when_the_alarm_halts_the_run(workplace):
    corpus(workplace, 400)
    with teacher("chat", Faults(looping=1.0)) as server:
        with pytest.raises(QualityAlarmError, match="looping"):
            pseudogloss(config("chat", server.base, run__concurrency=32))
        assert 200 <= sum(server.paid.values()) == len(answers_of("out")) < 400


def test_a_lost_job_that_is_not_wanted_any_more_is_not_made(workplace, monkeypatch):
    corpus(workplace, 30)
    once = {"run__max_attempts": 1, "run__min_usable_share": 0.0}
    with teacher("gemini", Faults(looping=1.0)) as server:
        job = config("gemini", server.base, **once)
        pseudogloss(job)
        with lost_creates(monkeypatch, listed=False), pytest.raises(TeacherError):
            retry_labels(Storage("out"), "out", config=job)
        paid = server.paid.copy()
        monkeypatch.setattr(GeminiBatch, "find", lambda *_: [])
        pseudogloss(job)  # closed: only a retry asks again
        assert server.paid == paid
