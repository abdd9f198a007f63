"""OpenAI-compatible teachers: the real client against a server that goes wrong on purpose."""

import asyncio
import subprocess
import sys
import time
import traceback
from collections import Counter
from contextlib import aclosing
from dataclasses import fields
from io import BytesIO

import pytest
from loopback import free_port
from teacher_asks import (
    ASKS,
    TEXTS,
    answers_of,
    ask_of,
    assert_busy_makes_nothing,
    assert_safe,
    created,
    ended,
    is_right,
    uploaded,
)
from teacher_faults import Faults
from teacher_http import Refused, Response
from teacher_openai_wire import OpenAiWire
from teacher_server import API_KEY, MODEL, TeacherServer, count_tokens

from aslbatch.errors import BusyError, ConfigError, LostAnswerError, TeacherError
from aslbatch.labeling.gemini_client import GeminiClient
from aslbatch.labeling.openai_batch import OpenAiBatch
from aslbatch.labeling.openai_chat import OpenAiChat
from aslbatch.labeling.openai_requests import ChatRequests
from aslbatch.labeling.openai_service import OpenAiService
from aslbatch.labeling.protocol import Ending, JobState
from aslbatch.provenance.hashing import source_hash

KEY_NAME = "TEST_OPENAI_KEY"
BOTH = pytest.mark.parametrize("kind", [OpenAiBatch, OpenAiChat])


class Wire(OpenAiWire):
    """`says` answers the requests to some path itself, or raises; its last entry stays."""

    def __init__(self):
        self.says = {}

    def answer(self, server, request):
        for path, said in self.says.items():
            if request.path.endswith(path):
                one = said.pop(0) if len(said) > 1 else said[0]
                if isinstance(one, Exception):
                    raise one
                if one:
                    return one
        return super().answer(server, request)


@pytest.fixture
def server():
    with TeacherServer(Wire()).running() as running:
        yield running


def teacher_of(server, kind=OpenAiBatch, **changes):
    options = {
        "model": MODEL,
        "api_key": API_KEY,
        "key_name": KEY_NAME,
        "base_url": server if isinstance(server, str) else f"{server.url}/v1",
        "patience_s": 30.0,
        "first_wait_s": 0.001,
    }
    names = {field.name for field in fields(OpenAiService)}
    service = OpenAiService(**{**options, **{k: v for k, v in changes.items() if k in names}})
    requests = ChatRequests(service.model, temperature=None, max_output_tokens=500)
    return kind(requests, service, **{k: v for k, v in changes.items() if k not in names})


def always(_):
    return True


def told_by(teacher, asks=ASKS, may_repeat=always):
    """Return all answers of a chat."""

    async def listen():
        return [answer async for answer in teacher.answers(asks, may_repeat)]

    return asyncio.run(listen())


@BOTH
@pytest.mark.parametrize("key", [None, ""])
def test_no_key(server, kind, key, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", API_KEY)
    with pytest.raises(ConfigError, match=f"set the environment variable {KEY_NAME}") as caught:
        teacher_of(server, kind, api_key=key).check()
    assert_safe(caught.value)
    assert server.url in str(caught.value)
    assert not server.requests


@BOTH
def test_a_wrong_key(server, kind):
    wrong = "PLANTED-WRONG-KEY-77"
    with pytest.raises(ConfigError, match=f"401: .*check the key in {KEY_NAME}") as caught:
        teacher_of(server, kind, api_key=wrong).check()
    assert_safe(caught.value, wrong)
    assert "provided: ***" in str(caught.value)
    assert len(server.requests) == 1


@BOTH
@pytest.mark.parametrize("end", ["\n", " x", "ключ"])
def test_a_key_that_cannot_be_one(server, kind, end):
    with pytest.raises(ConfigError, match=f"in the environment variable {KEY_NAME}") as caught:
        teacher_of(server, kind, api_key=API_KEY + end).check()
    assert_safe(caught.value)
    assert not server.requests


@BOTH
def test_a_model_that_does_not_exist(server, kind):
    server.models = ("other", "teacher-2", "teacher-3")
    with pytest.raises(
        ConfigError, match=r"no model 'teacher-1'; it has teacher-[23], t"
    ) as caught:
        teacher_of(server, kind).check()
    assert_safe(caught.value)


@BOTH
def test_a_service_without_a_list_of_models_is_believed(server, kind):
    server.wire.says["/models"] = [Refused(404, "not_found", "No such route.")]
    teacher_of(server, kind).check()


@BOTH
def test_pages_that_are_no_api(server, kind):
    server.wire.says["/models"] = [Response(b"<p>Hello", headers={"Content-Type": "text/html"})]
    with pytest.raises(TeacherError, match="check its address"):
        teacher_of(server, kind).check()


@BOTH
def test_nobody_there(kind):
    url = f"http://user:{API_KEY}@127.0.0.1:{free_port()}/v1"
    with pytest.raises(TeacherError, match=r"ConnectError: .*check its address") as caught:
        teacher_of(url, kind, patience_s=0.05).check()
    assert_safe(caught.value)
    assert "user" not in str(caught.value)


@BOTH
def test_keys_are_not_shown(server, kind):
    url = server.url.replace("http://", f"http://user:{API_KEY}@")
    teacher = teacher_of(f"{url}/v1", kind)
    assert API_KEY not in repr(teacher) + repr(vars(teacher))
    assert teacher.count_tokens(ASKS) is None


@BOTH
def test_without_the_package(server, kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigError, match=r"pip install 'aslbatch\[teacher\]'"):
        teacher_of(server, kind).check()


def test_the_package_is_imported_late():
    code = (
        "import sys, aslbatch.labeling.openai_batch, aslbatch.labeling.openai_chat;"
        "sys.exit('openai' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@BOTH
def test_a_check_waits_for_what_passes(server, kind):
    server.faults = Faults(seed=3, too_many_requests=0.2, unavailable=0.2, resets=0.2)
    for _ in range(8):
        teacher_of(server, kind).check()
    assert all(server.happened[of] for of in ("too_many_requests", "unavailable", "resets"))


def test_every_row_is_answered(server):
    teacher = teacher_of(server)
    teacher.check()
    answers = answers_of(teacher)
    assert [a.key for a in answers] == list(TEXTS)
    assert all(is_right(a) and a.model == f"{MODEL}-2026-01-02" for a in answers)
    assert answers[0].usage.input_tokens == count_tokens("Gloss it." + ASKS[0].user)
    assert answers[0].usage.output_tokens == count_tokens(answers[0].text)
    assert server.paid == dict.fromkeys((a.source_hash for a in ASKS), 1)


def test_a_file_arrives_as_it_is(server):
    content = "\r\n--x “Ann”\r\n\n".encode() * 100_000
    name = teacher_of(server).upload(BytesIO(content), "large")
    assert server.files[name.removeprefix("file-")] == content


def test_a_job_goes_through_its_states(server):
    teacher = teacher_of(server)
    told = ended(teacher, teacher.create(uploaded(teacher), "job-1"))
    assert [t.detail.split(";")[0] for t in told] == ["validating", "in_progress", "completed"]
    assert told[-1].detail == "completed; 60 of 60 requests done, 0 failed"
    assert [t.has_answers for t in told] == [False, False, True]


@pytest.mark.parametrize(
    ("fault", "state", "has_answers"),
    [
        ("all_failed", JobState.SUCCEEDED, True),
        ("partial", JobState.SUCCEEDED, True),
        ("expired", JobState.EXPIRED, True),
        ("cancelled", JobState.CANCELLED, True),
        ("failed", JobState.FAILED, False),
    ],
)
def test_how_jobs_end(server, fault, state, has_answers):
    server.faults = Faults(**{fault: 1.0})
    teacher = teacher_of(server)
    job = teacher.create(uploaded(teacher), "job-1")
    told = ended(teacher, job)[-1]
    assert (told.state, told.has_answers) == (state, has_answers)
    answers = list(teacher.fetch(job))
    assert len(answers) == server.paid.total()
    right = [a for a in answers if a.ending is Ending.COMPLETE]
    assert all(is_right(a) for a in right)
    assert {a.ending for a in answers} <= {Ending.COMPLETE, Ending.ERROR}
    if fault == "failed":
        assert "token_limit_exceeded: Too many tokens" in told.detail
    elif fault == "all_failed":
        assert "0 of 60 requests done, 60 failed" in told.detail
    else:
        assert 0 < len(right) < len(ASKS)


@pytest.mark.parametrize("word", ["cancelling", "finalizing", "a new word"])
def test_states_in_which_more_will_come(server, word):
    teacher = teacher_of(server)
    job = teacher.create(uploaded(teacher), "job-1")
    body = f'{{"id": "{job}", "status": "{word}"}}'.encode()
    server.wire.says[job] = [Response(body, headers={"Content-Type": "application/json"})]
    told = teacher.poll(job)
    assert (told.state, told.detail, told.has_answers) == (JobState.RUNNING, word, False)


@pytest.mark.parametrize(
    ("fault", "endings"),
    [
        ("error_lines", {Ending.ERROR}),
        ("refusals", {Ending.REFUSED}),
        ("truncated", {Ending.CUT, Ending.COMPLETE}),
        ("looping", {Ending.COMPLETE}),
        ("other_language", {Ending.COMPLETE}),
        ("swapped_keys", {Ending.COMPLETE}),
    ],
)
def test_answers_that_are_spoiled(server, fault, endings):
    server.faults = Faults(**{fault: 1.0})
    answers = answers_of(teacher_of(server))
    assert sorted(a.key for a in answers) == sorted(TEXTS)
    assert [a.key for a in answers] != list(TEXTS)
    assert {a.ending for a in answers} == endings
    if fault != "truncated":
        assert not any(is_right(a) for a in answers)
    assert server.faulty_as[fault] == server.paid == server.faulty


def test_refusals_and_errors_say_why(server):
    server.faults = Faults(refusals=0.5, error_lines=0.5)
    answers = answers_of(teacher_of(server))
    said = {a.detail for a in answers if a.ending is Ending.REFUSED}
    assert said == {"content_filter", "I can't help with that.", "no text, finish_reason stop"}
    errors = {a.detail for a in answers if a.ending is Ending.ERROR}
    assert errors == {"400: failed: Internal error."}


def test_lines_that_are_missing_repeated_or_damaged(server):
    server.faults = Faults(missing_lines=0.2, repeated_lines=0.2, damaged_lines=0.2)
    answers = answers_of(teacher_of(server))
    lines = Counter(a.key for a in answers if a.key)
    hashes = {key: source_hash(text) for key, text in TEXTS.items()}
    gone = set(server.faulty_as["missing_lines"]) | set(server.faulty_as["damaged_lines"])
    assert {hashes[k] for k in TEXTS if not lines[k]} == gone
    twice = {hashes[k] for k, times in lines.items() if times == 2}
    assert twice == set(server.faulty_as["repeated_lines"]) != set()
    damaged = [a for a in answers if a.key is None]
    assert len(damaged) == server.faulty_as["damaged_lines"].total() > 1
    assert all(a.ending is Ending.ERROR and len(a.detail) <= 200 for a in damaged)


def test_all_faults_at_once_leave_nothing_unaccounted(server):
    server.faults = Faults.everywhere(0.04, seed=3)
    teacher = teacher_of(server)
    right: Counter[str] = Counter()
    for attempt in range(8):
        asks = [a for a in reversed(ASKS) if not right[a.key]]
        name = f"job-{attempt}"
        file = uploaded(teacher, asks, name)
        try:
            job = created(teacher, file, name)
        except LostAnswerError:
            found = teacher.find(name)
            if not found:
                continue
            job = found[0]
        if ended(teacher, job)[-1].has_answers:
            right.update({a.key for a in teacher.fetch(job) if a.key and proven_right(a)})
    refused = server.faulty_as["refusals"]
    assert {a.source_hash for a in ASKS if not right[a.key]} == set(refused)
    good = server.paid - server.faulty
    assert all(good[a.source_hash] <= 1 for a in ASKS)


def proven_right(answer):
    """Whether an answer is right; one that stops in the middle is no JSON."""
    return answer.text.endswith("}") and is_right(answer)


@pytest.mark.parametrize("fault", ["too_many_requests", "unavailable", "resets"])
def test_faults_that_pass_are_waited_out(server, fault):
    teacher = teacher_of(server)
    server.faults = Faults(seed=1, **{fault: 0.5})
    file = uploaded(teacher)
    server.faults = Faults()
    job = teacher.create(file, "job-1")
    server.faults = Faults(seed=2, **{fault: 0.5})
    assert teacher.find("job-1") == [job]
    ended(teacher, job)
    assert all(is_right(a) for a in teacher.fetch(job))
    assert server.happened[fault]
    assert len(server.jobs) == 1


def test_downloads_that_break_start_again(server):
    teacher = teacher_of(server)
    for seed in range(4):
        server.faults = Faults(broken_downloads=0.6, slow_downloads=0.4, seed=seed)
        answers = answers_of(teacher, name=f"job-{seed}")
        assert sorted(a.key for a in answers) == sorted(TEXTS)
    assert server.happened["broken_downloads"]
    assert server.happened["slow_downloads"]


def test_patience_ends(server):
    server.faults = Faults(unavailable=1.0)
    with pytest.raises(TeacherError, match="answers 503: Try again later") as caught:
        teacher_of(server, patience_s=0.05).poll("batch_x")
    assert_safe(caught.value)


def test_an_account_without_money_is_not_waited_for(server):
    server.wire.says["/files"] = [Refused(429, "insufficient_quota", "Check your plan.")]
    with pytest.raises(TeacherError, match="answers 429: Check your plan"):
        uploaded(teacher_of(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", ["resets", "lost_creates"])
def test_a_job_is_not_asked_for_twice_when_nobody_knows(server, fault):
    teacher = teacher_of(server)
    other = teacher.create(uploaded(teacher), "job-0")
    file = uploaded(teacher)
    server.faults = Faults(**{fault: 1.0})
    with pytest.raises(LostAnswerError, match=r"job-1.*whether it was made is not") as caught:
        teacher.create(file, "job-1")
    assert_safe(caught.value)
    assert server.happened[fault] == 1
    server.faults = Faults()
    jobs = [f"batch_{name}" for name in server.jobs]
    assert jobs == [other, *teacher.find("job-1")]
    assert len(jobs) == 1 + (fault == "lost_creates")


def test_an_answer_to_create_that_makes_no_sense_may_be_a_job(server):
    for body in (b"<p>Hello", b'{"id": "batc', b'{"id": null}'):
        said = Response(body, headers={"Content-Type": "application/json"})
        server.wire.says["/batches"] = [said]
        with pytest.raises(LostAnswerError):
            teacher_of(server).create("file-x", "job-1")


def test_jobs_of_a_name_are_found_latest_first_on_all_pages(server):
    teacher = teacher_of(server)
    file = uploaded(teacher)
    jobs = [teacher.create(file, f"job-{n % 2}") for n in range(9)]
    server.requests.clear()
    assert teacher.find("job-0") == jobs[::-2]
    assert teacher.find("job-2") == []
    assert len(server.requests) == 10


@pytest.mark.parametrize("fault", ["too_many_requests", "unavailable"])
def test_a_job_that_is_too_much_now_is_not_made(server, fault):
    assert_busy_makes_nothing(server, teacher_of(server), fault)


def test_a_job_that_was_refused_was_not_made(server):
    with pytest.raises(TeacherError, match="400: No such File object") as caught:
        teacher_of(server).create("file-x", "job-1")
    assert type(caught.value) is TeacherError


def test_where_nobody_listens_no_job_was_made():
    teacher = teacher_of(f"http://127.0.0.1:{free_port()}/v1", patience_s=0.05)
    with pytest.raises(BusyError, match="ConnectError"):
        teacher.create("file-x", "job-1")


def test_jobs_that_are_not_there(server):
    teacher = teacher_of(server)
    with pytest.raises(TeacherError, match="404: No batch found with id 'batch_x'"):
        teacher.poll("batch_x")
    with pytest.raises(TeacherError, match="404: No batch found with id 'batch_x'"):
        next(teacher.fetch("batch_x"))


def test_a_chat_answers_every_row(server):
    answers = told_by(teacher_of(server, OpenAiChat))
    assert sorted(a.key for a in answers) == sorted(TEXTS)
    assert all(is_right(a) for a in answers)
    assert answers[0].usage.output_tokens == count_tokens(answers[0].text)
    assert server.paid == dict.fromkeys((a.source_hash for a in ASKS), 1)
    assert told_by(teacher_of(server, OpenAiChat), []) == []


def test_a_chat_waits_for_what_passes_and_reports_the_rest(server):
    server.faults = Faults(
        seed=1, too_many_requests=0.15, unavailable=0.15, resets=0.15, error_lines=0.1, refusals=0.1
    )
    answers = {a.key: a for a in told_by(teacher_of(server, OpenAiChat))}
    assert set(answers) == set(TEXTS)
    expected = {
        Ending.ERROR: server.faulty_as["error_lines"],
        Ending.REFUSED: server.faulty_as["refusals"],
    }
    for ending, hashes in expected.items():
        found = {source_hash(TEXTS[a.key]) for a in answers.values() if a.ending is ending}
        assert found == set(hashes) != set()
    assert all(is_right(a) for a in answers.values() if a.ending is Ending.COMPLETE)
    assert all(server.happened[of] for of in ("too_many_requests", "unavailable", "resets"))
    assert server.paid == dict.fromkeys((a.source_hash for a in ASKS), 1)


def test_a_chat_request_that_stays_without_answer_is_an_error(server):
    server.faults = Faults(unavailable=1.0)
    answers = told_by(teacher_of(server, OpenAiChat, patience_s=0.05), ASKS[:20])
    assert sorted(a.key for a in answers) == sorted(a.key for a in ASKS[:20])
    assert {a.ending for a in answers} == {Ending.ERROR}
    assert all("503: Try again later" in a.detail for a in answers)


def test_a_chat_that_may_have_been_answered_is_sent_again_only_where_that_may_be(server):
    def broken(request, response):
        if response is not None:
            raise ConnectionResetError

    server.watch = broken
    asked = []

    def twice(ask):
        asked.append(ask)
        return len(asked) <= 2

    (answer,) = told_by(teacher_of(server, OpenAiChat), ASKS[:1], twice)
    assert (answer.ending, answer.unsure) == (Ending.ERROR, 3)
    assert sum(server.paid.values()) == 3
    server.watch = lambda *_: None
    (answer,) = told_by(teacher_of(server, OpenAiChat), ASKS[:1], lambda _: False)
    assert (answer.ending, answer.unsure) == (Ending.COMPLETE, 0)


def test_a_placeholder_for_a_key_is_hidden_in_no_answer():
    def service(key):
        return OpenAiService("m", key, "KEY", "http://127.0.0.1:9/v1")

    def gemini(key):
        return GeminiClient(
            api_key=key, key_name="KEY", base_url=None, patience_s=1.0, first_wait_s=1.0
        )

    assert service("EMPTY").hide("CUP EMPTY") == "CUP EMPTY"
    assert service("a").hide("abcdef") == "abcdef"
    assert service(API_KEY).hide(f"CUP {API_KEY}") == "CUP ***"
    assert gemini("EMPTY").hide_key("CUP EMPTY") == "CUP EMPTY"
    assert gemini(API_KEY).hide_key(f"CUP {API_KEY}") == "CUP ***"
    assert API_KEY not in service(API_KEY).masked(f"wrong: {API_KEY}")


def test_a_chat_waits_as_long_as_it_is_told(server):
    server.wire.says["/completions"] = [Refused(429, "rate_limit_exceeded", "Slowly."), None]
    late = Response(b"{}", 429, {"Retry-After": "0.3"})
    server.wire.says["/completions"].insert(1, late)
    start = time.monotonic()
    assert is_right(*told_by(teacher_of(server, OpenAiChat), ASKS[:1]))
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize(
    "refused",
    [
        Refused(401, "invalid_api_key", f"No: {API_KEY}"),
        Refused(403, "forbidden", "No."),
        Refused(429, "insufficient_quota", "No money."),
        Refused(404, "model_not_found", "No model."),
    ],
)
def test_a_chat_that_can_only_fail_stops(server, refused):
    server.wire.says["/completions"] = [None, None, refused]
    teacher = teacher_of(server, OpenAiChat, concurrency=1)
    answers = []

    async def listen():
        async for answer in teacher.answers(ASKS, always):
            answers.append(answer)

    kind = TeacherError if refused.status == 429 else ConfigError
    with pytest.raises(kind, match=rf"answers {refused.status}: No") as caught:
        asyncio.run(listen())
    assert_safe(caught.value)
    assert ("check the key in" in str(caught.value)) is (refused.status in (401, 403))
    assert [a.key for a in answers] == ["r0", "r1"]
    assert len(server.requests) == 3


def test_a_chat_asks_no_more_at_once_than_it_may(server):
    class Counting(OpenAiWire):
        now = most = 0

        def answer(self, server, request):
            with server.lock:
                Counting.now += 1
                Counting.most = max(Counting.most, Counting.now)
            time.sleep(0.005)
            with server.lock:
                Counting.now -= 1
            return super().answer(server, request)

    server.wire = Counting()
    assert len(told_by(teacher_of(server, OpenAiChat, concurrency=4))) == 60
    assert 1 < Counting.most <= 4


def test_a_chat_keeps_its_pace(server):
    start = time.monotonic()
    told_by(teacher_of(server, OpenAiChat, requests_per_minute=60 * 50), ASKS[:11])
    assert time.monotonic() - start >= 10 / 50


def test_a_chat_that_is_left_asks_no_more(server):
    teacher = teacher_of(server, OpenAiChat, concurrency=2)

    async def listen():
        async with aclosing(teacher.answers(ASKS, always)) as answers:
            async for _ in answers:
                break
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(listen())
    assert len(server.requests) <= 3


def test_a_chat_body_that_makes_no_sense_is_an_error(server):
    server.wire.says["/completions"] = [
        Response(b"<p>Hello", headers={"Content-Type": "text/html"})
    ]
    (answer,) = told_by(teacher_of(server, OpenAiChat), [ask_of("r0", "x")])
    assert (answer.key, answer.ending, answer.detail) == ("r0", Ending.ERROR, "<p>Hello")


@BOTH
def test_nothing_written_down_holds_the_key(server, kind, caplog):
    caplog.set_level("DEBUG")
    teacher = teacher_of(server, kind)
    teacher.check()
    server.faults = Faults(unavailable=0.5, resets=0.5)
    with pytest.raises(TeacherError) as caught:
        teacher_of(server, kind, patience_s=0.01).check()
    assert caplog.records
    assert API_KEY not in caplog.text + "".join(traceback.format_exception(caught.value))
