"""`cost.max_cost` is never passed, whatever is lost, repeated or not counted."""

from contextlib import suppress

import pytest
from labeling import PRICES, config, corpus, journal_of, teacher
from teacher_faults import Faults
from teacher_http import Request, Response
from teacher_server import MODEL

from aslbatch.errors import ConfigError, LostAnswerError, TeacherError
from aslbatch.labeling.cost import estimated_input
from aslbatch.labeling.gemini import GeminiBatch
from aslbatch.pipelines.label_standing import read_standing
from aslbatch.pipelines.pseudogloss import pseudogloss

OUTPUT_ALONE = {MODEL: {"input": 0.0, "output": 1.0}}
LONGEST = 1_024
MILLION = 1_000_000

pytestmark = pytest.mark.usefixtures("cluster", "workplace")


def paid(server, tokens: int = LONGEST) -> float:
    """Return what answers of so many tokens have cost by the ledger of the service."""
    return sum(server.paid.values()) * tokens / MILLION


def reckoned():
    journal = journal_of("out")
    standing = read_standing(journal, journal.jobs())
    return standing.usage + standing.uncounted


@pytest.mark.parametrize("kind", ["gemini", "openai_batch", "chat"])
def test_answers_without_a_count_are_reckoned_at_their_most(kind, workplace, monkeypatch):
    corpus(workplace, 60)
    monkeypatch.setattr("teacher_server.count_tokens", lambda _: 0)
    with teacher(kind) as server:
        # An answer of 1,024 tokens costs 0.001024; with its request a text costs little more.
        cost = {"prices": PRICES, "max_cost": 0.07}
        job = config(kind, server.base, cost=cost, run__job_requests=7)
        with pytest.raises(TeacherError, match="for what was not counted"):
            pseudogloss(job)
        with pytest.raises(ConfigError, match=r"cost\.max_cost is 0\.07"):
            pseudogloss(job)
        assert 0.07 / 5 < paid(server) <= 0.07


def test_jobs_side_by_side_never_pass_the_limit(workplace, monkeypatch):
    corpus(workplace, 60)
    monkeypatch.setattr("teacher_server.count_tokens", lambda _: LONGEST)
    with teacher("gemini") as server:
        cost = {"prices": OUTPUT_ALONE, "max_cost": 0.0295}  # 28 answers of 1,024 tokens
        job = config("gemini", server.base, cost=cost, run__job_requests=8, run__max_jobs=4)
        with pytest.raises(TeacherError, match=r"could pass cost\.max_cost"):
            pseudogloss(job)
        assert sum(server.paid.values()) == 28


@pytest.mark.parametrize("fault", [LostAnswerError("broken"), KeyboardInterrupt()])
def test_a_job_that_may_be_there_is_not_made_again_where_both_could_be_too_much(
    fault, workplace, monkeypatch
):
    corpus(workplace, 20)
    create = GeminiBatch.create

    def lost(self, file, name):
        create(self, file, name)
        raise fault

    with teacher("gemini") as server:
        cost = {"prices": OUTPUT_ALONE, "max_cost": 20 * LONGEST / MILLION * 1.5}
        job = config("gemini", server.base, cost=cost)
        with monkeypatch.context() as patch:
            patch.setattr(GeminiBatch, "find", lambda *_: [])
            patch.setattr(GeminiBatch, "create", lost)
            with pytest.raises((TeacherError, KeyboardInterrupt)):
                pseudogloss(job)
        with monkeypatch.context() as patch:
            patch.setattr(GeminiBatch, "find", lambda *_: [])
            with pytest.raises(TeacherError, match=r"could pass cost\.max_cost"):
                pseudogloss(job)
        assert len(server.jobs) == 1
        assert reckoned().output_tokens == 20 * LONGEST
        done = pseudogloss(job)  # now it is listed
        assert len(server.jobs) == 1
    assert done.note["cost"]["uncounted_at_most"] == 0


def test_chats_are_sent_again_only_as_far_as_the_limit_allows(workplace, monkeypatch):
    corpus(workplace, 60)
    monkeypatch.setattr("teacher_server.count_tokens", lambda _: LONGEST)
    with teacher("chat") as server:
        breaks = {}

        def untold(request: Request, response: Response | None) -> None:
            if response is None or "chat" not in request.path:
                return
            breaks[request.body] = breaks.get(request.body, 0) + 1
            if breaks[request.body] <= 3:
                raise ConnectionResetError

        server.watch = untold
        cost = {"prices": OUTPUT_ALONE, "max_cost": 0.08}  # 78 answers
        with pytest.raises(TeacherError, match=r"could pass cost\.max_cost"):
            pseudogloss(config("chat", server.base, cost=cost))
        assert 60 <= sum(server.paid.values()) <= 78
        assert paid(server) <= reckoned().output_tokens / MILLION <= 0.08


def test_a_job_that_is_given_up_as_lost_may_be_paid_for(workplace):
    corpus(workplace, 20)
    with teacher("gemini") as server:

        def vanish(progress):
            if progress.state == "waiting for answers":
                server.jobs.clear()

        cost = {"prices": OUTPUT_ALONE, "max_cost": 20 * LONGEST / MILLION * 1.5}
        job = config("gemini", server.base, cost=cost, run__give_up_lost_jobs=True)
        with pytest.raises(TeacherError, match=r"could pass cost\.max_cost"):
            pseudogloss(job, show=vanish)
        assert sum(server.paid.values()) == 1.5 * 20
        assert reckoned().output_tokens == 1.5 * 20 * LONGEST


def test_lines_that_cannot_be_read_are_paid_for_though_their_job_expired(workplace):
    corpus(workplace, 30)
    with teacher("gemini", Faults(expired=1.0, damaged_lines=1.0)) as server:
        job = config("gemini", server.base, run__max_attempts=2, cost={"prices": OUTPUT_ALONE})
        for _ in range(8):  # each start gives up after three jobs
            with suppress(TeacherError):
                done = pseudogloss(job)
        assert done.summary.rejected["missing_answer"] == 30
        assert 30 < sum(server.paid.values()) <= 60
    assert reckoned().output_tokens == sum(server.paid.values()) * LONGEST


def test_a_service_that_counts_nothing_does_not_make_requests_free(workplace, monkeypatch):
    corpus(workplace, 20)
    monkeypatch.setattr(GeminiBatch, "_tokens_of", lambda *_: 0)
    with teacher("gemini") as server:
        cost = {"prices": {MODEL: {"input": 1.0, "output": 0.0}}, "max_cost": 0.00001}
        with pytest.raises(ConfigError, match=r"cost\.max_cost is 1e-05"):
            pseudogloss(config("gemini", server.base, cost=cost))
        assert not server.jobs


def test_answers_are_reckoned_by_the_longest_that_was_allowed_when_they_were_asked_for(
    workplace, monkeypatch
):
    corpus(workplace, 20)
    monkeypatch.setattr("teacher_server.count_tokens", lambda _: 0)
    with teacher("gemini") as server:

        def stop(progress):
            if progress.state == "waiting for answers":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pseudogloss(config("gemini", server.base, teacher__max_output_tokens=8_192), show=stop)
        pseudogloss(config("gemini", server.base, teacher__max_output_tokens=64))
    assert reckoned().output_tokens == 20 * 8_192


def test_answers_are_reckoned_by_the_count_of_their_time(workplace, monkeypatch):
    corpus(workplace, 20)
    with teacher("gemini") as server, monkeypatch.context() as patch:
        patch.setattr("teacher_server.count_tokens", lambda _: 0)
        patch.setattr(
            GeminiBatch,
            "count_tokens",
            lambda _, asks: [3 * estimated_input([ask]) for ask in asks],
        )

        def stop(progress):
            if progress.state == "waiting for answers":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pseudogloss(config("gemini", server.base), show=stop)
        (job,) = journal_of("out").jobs()
        pseudogloss(config("gemini", server.base))  # nothing new is asked for, so none counts
    assert reckoned() == job.most
