"""The teacher that runs here: real processes that are slow, die, and outlive who started them."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from teacher_asks import ASKS, TEXTS, answers_of, is_right, uploaded
from teacher_faults import Faults
from teacher_openai_wire import OpenAiWire
from teacher_server import MODEL, TeacherServer

from aslbatch.errors import ConfigError, TeacherError
from aslbatch.labeling.openai_requests import ChatRequests
from aslbatch.labeling.protocol import Ending, JobState
from aslbatch.labeling.vllm_batch import VllmBatch

TESTS = Path(__file__).parents[1]
COMMAND = [
    sys.executable, str(TESTS / "fake_vllm.py"), "run-batch",
    "-i", "{input}", "-o", "{output}", "--model", "{model}",
]  # fmt: skip

DRIVER = """
import os, signal, sys
from pathlib import Path
from test_vllm_batch import group_of, members, teacher_of, until, uploaded

folder, how = Path(sys.argv[1]), sys.argv[2]
teacher = teacher_of(folder)
teacher.create(uploaded(teacher), "job-1")
group = group_of(folder)
until(lambda: len(members(group)) == 2)
if how == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def server(monkeypatch):
    with TeacherServer(OpenAiWire()).running() as running:
        monkeypatch.setenv("FAKE_VLLM_URL", running.url)
        yield running


@pytest.fixture
def hold(tmp_path, monkeypatch):
    """While this file is there, models are being loaded."""
    file = tmp_path / "hold"
    file.touch()
    monkeypatch.setenv("FAKE_VLLM_HOLD", str(file))
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture
def teacher(tmp_path):
    made = teacher_of(tmp_path)
    yield made
    made.close()


def teacher_of(folder, command=COMMAND):
    requests = ChatRequests(MODEL, temperature=None, max_output_tokens=500)
    return VllmBatch(requests, command=command, folder=folder / "work")


def until(happened):
    """Wait for what another process does."""
    give_up_at = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def wait_for_its_end(teacher, job="job-1"):
    until(lambda: teacher.poll(job).state.is_final)
    return teacher.poll(job)


def group_of(folder, job="job-1"):
    file = folder / "work" / job / "pid"
    until(lambda: file.exists() and file.read_text().strip())
    return int(file.read_text())


def members(group):
    """Return the processes of a group, without those that have ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def test_every_row_is_answered(server, teacher):
    teacher.check()
    assert teacher.count_tokens(ASKS) is None
    answers = answers_of(teacher)
    assert [a.key for a in answers] == list(TEXTS)
    assert all(is_right(a) and a.usage.output_tokens for a in answers)
    assert server.paid == dict.fromkeys((a.source_hash for a in ASKS), 1)


def test_a_job_runs_until_its_answers_have_their_name(server, teacher, tmp_path, hold):
    file = uploaded(teacher)
    assert teacher.find("job-1") == []
    job = teacher.create(file, "job-1")
    assert teacher.find("job-1") == [job]
    told = teacher.poll(job)
    assert (told.state, told.has_answers) == (JobState.RUNNING, False)
    with pytest.raises(TeacherError, match="job-1 has no answers"):
        next(teacher.fetch(job))
    assert teacher_of(tmp_path).create(file, "job-1") == job
    hold.unlink()
    told = wait_for_its_end(teacher)
    assert (told.state, told.has_answers) == (JobState.SUCCEEDED, True)
    assert teacher.create(file, "job-1") == job
    assert set(server.paid.values()) == {1}
    later = teacher_of(tmp_path)
    assert later.find("job-1") == [job]
    assert later.poll(job) == told
    assert all(is_right(a) for a in later.fetch(job))


def test_a_job_that_dies_says_how_its_log_ends_and_may_be_run_again(server, teacher):
    server.faults = Faults(failed=1.0)
    file = uploaded(teacher)
    job = teacher.create(file, "job-1")
    told = wait_for_its_end(teacher)
    assert (told.state, told.has_answers) == (JobState.FAILED, False)
    assert "EngineDeadError: CUDA out of memory" in told.detail
    assert told.detail.endswith("exit code 1")
    assert "\n" not in told.detail
    server.faults = Faults()
    assert teacher.create(file, "job-1") == job
    assert wait_for_its_end(teacher).state is JobState.SUCCEEDED
    assert all(is_right(a) for a in teacher.fetch(job))


@pytest.mark.parametrize("code", [3, 0])  # 0, and there is no output
def test_a_job_that_died_is_not_waited_for_though_it_left_processes_behind(tmp_path, code):
    command = ["sh", "-c", f"sleep 600 & exit {code}", "{input}", "{output}"]
    teacher = teacher_of(tmp_path, command=command)
    told = wait_for_its_end(teacher, teacher.create(uploaded(teacher), "job-1"))
    assert told.state is JobState.FAILED
    assert "left processes behind, which kill -- -$(cat" in told.detail
    assert told.detail.endswith(f"exit code {code}")
    assert len(members(group_of(tmp_path))) == 1
    teacher.close()
    until(lambda: not members(group_of(tmp_path)))


@pytest.mark.parametrize("whole_group", [True, False])
def test_a_process_that_is_killed_has_failed(server, teacher, tmp_path, hold, whole_group):
    job = teacher.create(uploaded(teacher), "job-1")
    group = group_of(tmp_path)
    until(lambda: len(members(group)) == 2)
    if whole_group:
        os.killpg(group, signal.SIGKILL)
    else:
        os.kill(next(pid for pid in members(group) if pid != group), signal.SIGKILL)
    told = wait_for_its_end(teacher, job)
    assert (told.state, told.has_answers) == (JobState.FAILED, False)
    assert whole_group or told.detail.endswith("exit code 137")
    assert not server.paid


def test_close_ends_what_runs(server, teacher, tmp_path, hold):
    job = teacher.create(uploaded(teacher), "job-1")
    group = group_of(tmp_path)
    until(lambda: len(members(group)) == 2)
    teacher.close()
    assert members(group) == []
    assert teacher.poll(job).state is JobState.FAILED
    teacher.close()


def test_a_process_ends_with_its_driver(server, tmp_path, hold):
    drive(tmp_path, "end", status=0)
    assert members(group_of(tmp_path)) == []
    assert teacher_of(tmp_path).poll("job-1").state is JobState.FAILED


def test_a_process_outlives_the_kill_of_its_driver_and_is_found(server, tmp_path, hold):
    drive(tmp_path, "kill", status=-signal.SIGKILL)
    later = teacher_of(tmp_path)
    assert later.find("job-1") == ["job-1"]
    assert later.poll("job-1").state is JobState.RUNNING
    hold.unlink()
    assert wait_for_its_end(later).state is JobState.SUCCEEDED
    assert all(is_right(a) for a in later.fetch("job-1"))
    assert server.paid == dict.fromkeys((a.source_hash for a in ASKS), 1)


def drive(folder, how, status):
    path = f"{TESTS}:{TESTS / 'unit'}:{TESTS.parent}"
    environment = {**os.environ, "PYTHONPATH": path}
    driver = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder), how],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert driver.returncode == status, driver.stderr


def test_all_faults_at_once_leave_nothing_unaccounted(server, teacher):
    server.faults = Faults.everywhere(0.04, seed=6)
    right: Counter[str] = Counter()
    for attempt in range(6):
        asks = [a for a in reversed(ASKS) if not right[a.key]]
        name = f"job-{attempt}"
        job = teacher.create(uploaded(teacher, asks, name), name)
        if wait_for_its_end(teacher, job).has_answers:
            right.update({a.key for a in teacher.fetch(job) if proven_right(a)})
    refused = server.faulty_as["refusals"]
    assert {a.source_hash for a in ASKS if not right[a.key]} == set(refused)
    good = server.paid - server.faulty
    assert all(good[a.source_hash] <= 1 for a in ASKS)


def proven_right(answer):
    """Whether an answer is right; one that stops in the middle is no JSON."""
    return bool(answer.key) and answer.text.endswith("}") and is_right(answer)


def test_errors_are_in_the_words_of_vllm(server, teacher):
    server.faults = Faults(error_lines=1.0)
    answers = answers_of(teacher)
    assert sorted(a.key for a in answers) == sorted(TEXTS)
    assert {(a.ending, a.detail) for a in answers} == {(Ending.ERROR, "400: Internal error.")}


def test_a_command_that_is_not_there(tmp_path):
    command = ["vllm-that-nobody-has", "-i", "{input}", "-o", "{output}"]
    with pytest.raises(ConfigError, match="'vllm-that-nobody-has', is not on the PATH"):
        teacher_of(tmp_path, command=command).check()


def test_a_command_that_does_not_say_where_files_go(tmp_path):
    with pytest.raises(ConfigError, match=r"has no \{input\}") as caught:
        teacher_of(tmp_path, command=[sys.executable, "run-batch"]).check()
    assert len(caught.value.faults) == 2
    with pytest.raises(ConfigError, match="'', is not on the PATH"):
        teacher_of(tmp_path, command=[]).check()


def test_braces_that_are_no_places_stay(teacher, tmp_path):
    command = ["sh", "-c", 'printf "%s" "$1" > "$0"', "{output}", '{"model": "{model}"} {input}']
    other = teacher_of(tmp_path, command=command)
    other.create(uploaded(other), "job-1")
    wait_for_its_end(other)
    folder = tmp_path / "work" / "job-1"
    said = (folder / "answers.jsonl").read_text()
    assert said == f'{{"model": "{MODEL}"}} {folder / "requests.jsonl"}'
    other.close()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a"])
def test_names_that_are_no_folders(teacher, name):
    with pytest.raises(TeacherError, match="is no name for a job"):
        teacher.find(name)


def test_jobs_and_files_that_are_not_there(teacher):
    gone = teacher.poll("job-1")
    assert (gone.state, gone.has_answers) == (JobState.FAILED, False)
    assert "job-1 is gone" in gone.detail
    with pytest.raises(TeacherError, match="job-1 has no file"):
        teacher.create("job-1/requests.jsonl", "job-1")
