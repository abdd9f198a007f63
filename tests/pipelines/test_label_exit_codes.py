"""Exit codes of labelings as a shell sees them, each with a message that tells no key."""

import json
from contextlib import contextmanager

import pytest
from labeling import API_KEY, KEY_NAME, PRICES, config, corpus, teacher
from loopback import free_port
from teacher_faults import Faults
from teacher_openai_wire import OpenAiWire
from teacher_server import Refused

from aslbatch.cli import main

pytestmark = pytest.mark.usefixtures("cluster", "workplace")

KINDS = ["gemini", "openai_batch", "chat"]


@pytest.fixture
def label(workplace, capsys):
    """Run a job from a shell; return its exit code, and what it says of its error."""

    def run(job, *words):
        (workplace / "job.json").write_text(json.dumps(job.model_dump(mode="json")))
        with pytest.raises(SystemExit) as stopped:
            main(["pseudogloss", "job.json", *words])
        shown = capsys.readouterr()
        assert API_KEY not in shown.out + shown.err
        assert "Traceback" not in shown.err
        return stopped.value.code or 0, " ".join(shown.err.split())

    corpus(workplace, 20)
    return run


@contextmanager
def nothing_is_sent(server, workplace):
    """Check that nothing was uploaded, asked or written."""
    yield
    assert not [path for method, path in server.requests if "upload" in path or "files" in path]
    assert not server.paid
    assert not (workplace / "out").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_or_model_or_money_it_is_2_and_nothing_is_sent(
    kind, label, workplace, monkeypatch
):
    with teacher(kind) as server, nothing_is_sent(server, workplace):
        job = config(kind, server.base)
        other = {**job.teacher.model_dump(), "model": "teacher-2"}
        code, said = label(config(kind, server.base, teacher=other))
        assert (code, "'teacher-2'" in said) == (2, True), said
        money = {"prices": PRICES, "max_cost": 0.0001}
        code, said = label(config(kind, server.base, cost=money))
        assert (code, "cost.max_cost is 0.0001" in said) == (2, True), said
        monkeypatch.setenv(KEY_NAME, f"wrong-{API_KEY}")
        code, said = label(job)
        assert (code, KEY_NAME in said) == (2, True), said
        monkeypatch.delenv(KEY_NAME)
        code, said = label(job)
        assert (code, KEY_NAME in said) == (2, True), said


@pytest.mark.parametrize("kind", ["openai_batch", "chat"])
def test_a_gateway_that_lists_models_to_everybody_refuses_a_wrong_key_with_2(
    kind, label, monkeypatch
):
    class Open(OpenAiWire):
        def answer(self, server, request):
            if request.path.endswith("/models") or not request.path.startswith("/v1/"):
                raise Refused(404, "not_found", "No such page.")
            return super().answer(server, request)

    with teacher(kind) as server:
        server.wire = Open()
        monkeypatch.setenv(KEY_NAME, "wrong-and-long-enough")
        code, said = label(config(kind, server.base))
        assert (code, f"check the key in {KEY_NAME}" in said) == (2, True), said
        monkeypatch.setenv(KEY_NAME, API_KEY)
        code, said = label(config(kind, server.url))  # without /v1
        assert (code, "teacher.base_url, which most often ends in /v1" in said) == (2, True), said
        assert not server.paid


def test_a_service_that_is_not_there_is_1(label):
    url = f"http://127.0.0.1:{free_port()}/v1"
    code, said = label(config("openai_batch", url, run__patience_s=0.1))
    assert (code, "check its address" in said) == (1, True), said


def test_rows_that_failed_another_run_and_useless_answers_are_3_4_and_5(label):
    with teacher("gemini", Faults(refusals=0.3, seed=2)) as server:
        code, said = label(config("gemini", server.base, run__max_failed_rows=0.01))
        assert (code, "run.max_failed_rows" in said) == (3, True), said
        changed = {**config("gemini", server.base).prompt.model_dump(), "count": 3}
        code, said = label(config("gemini", server.base, prompt=changed))
        assert (code, "prompt.count" in said) == (4, True), said
        assert label(config("gemini", server.base)) == (0, "")
    with teacher("gemini", Faults(looping=1.0)) as server:
        code, said = label(config("gemini", server.base, sink={"path": "other"}))
        assert (code, "run.min_usable_share" in said) == (5, True), said
