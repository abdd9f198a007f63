"""Gemini as a teacher: the real client against a server that goes wrong on purpose."""

import json
import subprocess
import sys
import traceback
from collections import Counter
from io import BytesIO

import pytest
from loopback import free_port
from teacher_asks import (
    ASKS,
    TEXTS,
    answers_of,
    assert_busy_makes_nothing,
    assert_safe,
    created,
    ended,
    uploaded,
)
from teacher_faults import Faults
from teacher_gemini_wire import GeminiWire
from teacher_server import API_KEY, MODEL, TeacherServer, count_tokens, true_gloss

from aslbatch.errors import BusyError, ConfigError, LostAnswerError, TeacherError
from aslbatch.labeling.gemini import GeminiBatch
from aslbatch.labeling.gemini_lines import read_answer
from aslbatch.labeling.protocol import Ending, JobState
from aslbatch.provenance.hashing import source_hash

KEY_NAME = "TEST_GEMINI_KEY"


@pytest.fixture
def server():
    with TeacherServer(GeminiWire()).running() as running:
        yield running


def teacher_of(server, **changes):
    options = {
        "model": MODEL,
        "api_key": API_KEY,
        "key_name": KEY_NAME,
        "base_url": server if isinstance(server, str) else server.url,
        "temperature": None,
        "max_output_tokens": 500,
        "patience_s": 30.0,
        "first_wait_s": 0.001,
    }
    return GeminiBatch(**{**options, **changes})


def is_right(answer):
    """Return whether an answer is the true one of the row that its key names."""
    text = TEXTS[answer.key]
    return answer.ending is Ending.COMPLETE and answer.text == json.dumps(
        {
            "id": f"row {answer.key}",
            "source_hash": source_hash(text),
            "gloss": true_gloss(text),
        },
        ensure_ascii=False,
    )


def test_every_row_is_answered(server):
    teacher = teacher_of(server)
    teacher.check()
    answers = answers_of(teacher)
    assert [a.key for a in answers] == list(TEXTS)
    assert all(is_right(a) and a.model == MODEL for a in answers)
    prompt = "Gloss it." + ASKS[0].user
    assert answers[0].usage.input_tokens == count_tokens(prompt)
    assert answers[0].usage.output_tokens == count_tokens(answers[0].text)
    assert server.paid == dict.fromkeys((a.source_hash for a in ASKS), 1)


def test_a_request_is_in_the_words_of_gemini():
    line = teacher_of("http://x", temperature=0.0).line(ASKS[0])
    said = json.loads(line)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert said["key"] == "r0"
    generation = said["request"]["generationConfig"]
    assert generation["temperature"] == 0.0
    assert generation["maxOutputTokens"] == 500
    assert generation["responseSchema"] == {
        "type": "OBJECT",
        "properties": {
            "id": {"type": "STRING"},
            "source_hash": {"type": "STRING"},
            "gloss": {"type": "STRING"},
        },
        "required": ["id", "source_hash", "gloss"],
        "propertyOrdering": ["id", "source_hash", "gloss"],
    }
    assert b"temperature" not in teacher_of("http://x").line(ASKS[0])


def test_files_larger_than_a_piece_of_an_upload(server):
    teacher = teacher_of(server)
    content = b"x" * (8 * 2**20 + 7)
    name = teacher.upload(BytesIO(content), "large")
    assert server.files[name.removeprefix("files/")] == content


def test_a_job_goes_through_its_states(server):
    teacher = teacher_of(server)
    job = teacher.create(uploaded(teacher), "job-1")
    told = ended(teacher, job)
    assert [t.detail for t in told] == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert [t.has_answers for t in told] == [False, False, True]


@pytest.mark.parametrize("word", ["PENDING", "PAUSED", "CANCELLING", "UPDATING", "UNSPECIFIED"])
def test_states_in_which_more_will_come(server, word):
    teacher = teacher_of(server)
    job = teacher.create(uploaded(teacher), "job-1")
    server.polls_to_end = 1
    server.jobs[job.removeprefix("batches/")].ending = word
    told = teacher.poll(job)
    assert (told.state, told.detail) == (JobState.RUNNING, word)


@pytest.mark.parametrize(
    ("fault", "state", "has_answers"),
    [
        ("all_failed", JobState.SUCCEEDED, True),
        ("expired", JobState.EXPIRED, True),
        ("partial", JobState.PARTIALLY_SUCCEEDED, True),
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
    if not has_answers:
        with pytest.raises(TeacherError, match="has no answers of batches/"):
            next(teacher.fetch(job))
        assert not server.paid
        return
    answers = list(teacher.fetch(job))
    assert len(answers) == server.paid.total()
    right = [a for a in answers if a.ending is Ending.COMPLETE]
    assert all(is_right(a) for a in right)
    assert {a.ending for a in answers} - {Ending.COMPLETE, Ending.ERROR} == set()
    if fault == "all_failed":
        assert not right
    else:
        assert 0 < len(right) < len(ASKS)


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
    assert not any(is_right(a) for a in answers)
    assert server.faulty_as[fault] == server.paid == server.faulty


def test_refusals_and_errors_say_why(server):
    server.faults = Faults(refusals=0.5, error_lines=0.5)
    answers = answers_of(teacher_of(server))
    said = Counter(a.detail for a in answers if a.ending is Ending.REFUSED)
    assert set(said) == {"SAFETY", "RECITATION", "the request is blocked: PROHIBITED_CONTENT"}
    errors = {a.detail for a in answers if a.ending is Ending.ERROR}
    assert errors == {'{"code": 13, "message": "Internal error."}'}
    again = answers_of(teacher_of(server))
    refused = [{a.key for a in of if a.ending is Ending.REFUSED} for of in (answers, again)]
    assert refused[0] == refused[1]


def test_answers_that_are_missing_or_come_twice(server):
    server.faults = Faults(missing_lines=0.3, repeated_lines=0.3)
    answers = answers_of(teacher_of(server))
    lines = Counter(a.key for a in answers)
    hashes = {key: source_hash(text) for key, text in TEXTS.items()}
    assert {hashes[k] for k in TEXTS if not lines[k]} == set(server.faulty_as["missing_lines"])
    twice = {hashes[k] for k, times in lines.items() if times == 2}
    assert twice == set(server.faulty_as["repeated_lines"])
    assert len(twice) > 1


def test_lines_that_are_no_json(server):
    server.faults = Faults(damaged_lines=0.3)
    answers = answers_of(teacher_of(server))
    damaged = [a for a in answers if a.key is None]
    assert len(damaged) == server.faulty.total() > 1
    assert all(a.ending is Ending.ERROR and len(a.detail) <= 200 for a in damaged)
    assert all(a.detail.startswith('{"key": "r') for a in damaged)
    assert all(is_right(a) for a in answers if a.key is not None)


@pytest.mark.parametrize(
    ("line", "key", "ending"),
    [
        (b"", None, Ending.ERROR),
        (b"[1, 2]", None, Ending.ERROR),
        (b"\xff\xfe{", None, Ending.ERROR),
        (b"[" * 100_000, None, Ending.ERROR),
        (b'{"key": 7, "response": {"candidates": []}}', None, Ending.REFUSED),
        (b'{"key": "a"}', "a", Ending.ERROR),
        (b'{"key": "a", "response": "good"}', "a", Ending.ERROR),
        (b'{"key": "a", "response": {"candidates": [7]}}', "a", Ending.REFUSED),
        (b'{"key": "a", "response": {"candidates": [{"finishReason": "OTHER"}]}}', "a", "error"),
        (b'{"key": "a", "response": {"candidates": [{"finishReason": "STOP"}]}}', "a", "refused"),
        (
            b'{"key": "a", "response": {"candidates": [{"finishReason": "STOP", "content": '
            b'{"parts": [7, {"text": 8}]}}], "usageMetadata": {"promptTokenCount": "x"}}}',
            "a",
            Ending.REFUSED,
        ),
    ],
)
def test_lines_of_any_shape_are_read(line, key, ending):
    answer = read_answer(line, str)
    assert (answer.key, answer.ending) == (key, ending)


def test_all_faults_at_once_leave_nothing_unaccounted(server):
    server.faults = Faults.everywhere(0.04, seed=3)
    teacher = teacher_of(server)
    right: Counter[str] = Counter()
    for attempt in range(8):
        asks = [a for a in ASKS if not right[a.key]]
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
            right.update({a.key for a in teacher.fetch(job) if a.key and is_right(a)})
    refused = server.faulty_as["refusals"]
    assert {a.source_hash for a in ASKS if not right[a.key]} == set(refused)
    assert set(server.happened) & {"unavailable", "too_many_requests", "resets"}
    # An answer whose second line is the same, or another, is right as well as spoiled.
    good = server.paid - server.faulty
    assert all(good[a.source_hash] <= 1 for a in ASKS)


def test_faults_do_not_depend_on_time():
    seen = []
    for _ in range(2):
        with TeacherServer(GeminiWire(), faults=Faults.everywhere(0.02, seed=5)).running() as one:
            teacher = teacher_of(one)
            file = uploaded(teacher)
            try:
                teacher.create(file, "job-1")
            except LostAnswerError:
                assert teacher.find("job-1")
            seen.append((one.requests, one.happened, one.faulty_as, list(one.jobs.values())))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("fault", ["too_many_requests", "unavailable", "resets"])
def test_faults_that_pass_are_waited_out(server, fault):
    teacher = teacher_of(server)
    server.faults = Faults(seed=1, **{fault: 0.5})
    teacher.check()
    assert teacher.count_tokens(ASKS[:3])
    file = uploaded(teacher)
    server.faults = Faults()
    job = teacher.create(file, "job-1")
    server.faults = Faults(seed=2, **{fault: 0.5})
    assert teacher.find("job-1") == [job]
    ended(teacher, job)
    assert all(is_right(a) for a in teacher.fetch(job))
    assert server.happened[fault] > 3
    assert len(server.jobs) == 1


def test_patience_ends(server):
    server.faults = Faults(unavailable=1.0)
    with pytest.raises(TeacherError, match="does not tell of batches/x: 503 UNAVAILABLE") as caught:
        teacher_of(server, patience_s=0.05).poll("batches/x")
    assert_safe(caught.value)


def test_downloads_that_break_start_again(server):
    teacher = teacher_of(server)
    for seed in range(4):
        server.faults = Faults(broken_downloads=0.6, slow_downloads=0.4, seed=seed)
        assert sorted(a.key for a in answers_of(teacher)) == sorted(TEXTS)
    assert server.happened["broken_downloads"]
    assert server.happened["slow_downloads"]


def test_a_job_whose_making_was_not_told_is_found(server):
    teacher = teacher_of(server)
    other = teacher.create(uploaded(teacher), "job-0")
    file = uploaded(teacher)
    server.faults = Faults(lost_creates=1.0)
    with pytest.raises(LostAnswerError, match="may have started the job job-1") as caught:
        teacher.create(file, "job-1")
    assert_safe(caught.value)
    server.faults = Faults()
    assert [f"batches/{name}" for name in server.jobs] == [other, *teacher.find("job-1")]
    assert teacher.find("job-2") == []


def test_jobs_of_a_name_are_found_latest_first_on_all_pages(server):
    teacher = teacher_of(server)
    file = uploaded(teacher)
    jobs = [teacher.create(file, f"job-{n % 2}") for n in range(9)]
    assert teacher.find("job-0") == jobs[::-2]
    assert len([path for _, path in server.requests if path == "/v1/batches"]) == 5


@pytest.mark.parametrize("fault", ["resets", "lost_creates"])
def test_a_job_is_not_asked_for_twice_when_nobody_knows(server, fault):
    teacher = teacher_of(server)
    file = uploaded(teacher)
    server.faults = Faults(**{fault: 1.0})
    with pytest.raises(LostAnswerError):
        teacher.create(file, "job-1")
    assert server.happened[fault] == 1


@pytest.mark.parametrize("fault", ["too_many_requests", "unavailable"])
def test_a_job_that_is_too_much_now_is_not_made(server, fault):
    assert_busy_makes_nothing(server, teacher_of(server), fault)


def test_a_job_that_was_refused_was_not_made(server):
    teacher = teacher_of(server)
    with pytest.raises(TeacherError, match="403 PERMISSION_DENIED") as caught:
        teacher.create("files/unknown", "job-1")
    assert type(caught.value) is TeacherError


def test_where_nobody_listens_no_job_was_made():
    teacher = teacher_of(f"http://127.0.0.1:{free_port()}", patience_s=0.05)
    with pytest.raises(BusyError, match="did not start the job job-1"):
        teacher.create("files/x", "job-1")
    with pytest.raises(TeacherError, match="does not tell of the model"):
        teacher.check()


def test_jobs_and_answers_that_are_not_there(server):
    teacher = teacher_of(server)
    with pytest.raises(TeacherError, match="does not tell of batches/x: 404"):
        teacher.poll("batches/x")
    with pytest.raises(TeacherError, match="does not tell of batches/x: 404"):
        next(teacher.fetch("batches/x"))


def test_tokens_are_counted_with_the_instructions(server):
    expected = [count_tokens(ask.system + ask.user) for ask in ASKS[:4]]
    assert teacher_of(server).count_tokens(ASKS[:4]) == expected


@pytest.mark.parametrize("key", [None, "", "  \n"])
def test_no_key(server, monkeypatch, key):
    monkeypatch.setenv("GOOGLE_API_KEY", API_KEY)
    with pytest.raises(ConfigError, match=f"{KEY_NAME} is not set") as caught:
        teacher_of(server, api_key=key).check()
    assert_safe(caught.value)
    assert not server.requests


def test_a_wrong_key(server):
    wrong = "PLANTED-WRONG-KEY-77"
    with pytest.raises(ConfigError, match=f"API key.*{KEY_NAME}") as caught:
        teacher_of(server, api_key=wrong).check()
    assert_safe(caught.value)
    assert wrong not in "".join(traceback.format_exception(caught.value))
    assert server.url in str(caught.value)


@pytest.mark.parametrize("key", [f"{API_KEY}\nX: y", f"{API_KEY}ключ"])
def test_a_key_that_cannot_be_one(server, key):
    with pytest.raises(ConfigError, match=f"{KEY_NAME} holds characters") as caught:
        teacher_of(server, api_key=key).check()
    assert_safe(caught.value)


def test_a_model_that_does_not_exist(server):
    with pytest.raises(ConfigError, match="has no model 'gone-model'") as caught:
        teacher_of(server, model="gone-model").check()
    assert_safe(caught.value)


def test_credentials_of_the_endpoint_are_not_shown(server):
    url = server.url.replace("http://", f"http://user:{API_KEY}@")
    teacher = teacher_of(url, model="gone-model")
    with pytest.raises(ConfigError) as caught:
        teacher.check()
    assert_safe(caught.value)
    assert API_KEY not in repr(teacher) + repr(vars(teacher))


def test_without_the_package(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "google", None)
    with pytest.raises(ConfigError, match=r"pip install 'aslbatch\[teacher\]'"):
        teacher_of(server).check()


def test_the_package_is_imported_late():
    code = "import sys, aslbatch.labeling.gemini; sys.exit('google.genai' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("gloss", ["IX HTTP://[LINK] GOOD", "HTTP://A.B?C#D", "HTTP://a:b@c.d/E"])
def test_an_answer_is_what_the_model_wrote_whatever_looks_like_a_url(gloss):
    text = json.dumps({"id": "a", "source_hash": "b", "gloss": gloss})
    response = {"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]}
    line = json.dumps({"key": "a", "response": response}).encode()
    assert read_answer(line, str).text == text
    blocked = {"promptFeedback": {"blockReason": gloss}}
    line = json.dumps({"key": "a", "response": blocked}).encode()
    assert "a:b" not in read_answer(line, str).detail
