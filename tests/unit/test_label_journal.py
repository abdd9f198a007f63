"""What a teacher was asked and answered: kept once, found again, and never mixed up."""

from dataclasses import replace

import pytest

from aslbatch.errors import SinkError
from aslbatch.labeling.answers import Outcome
from aslbatch.labeling.protocol import Usage
from aslbatch.pipelines.label_journal import CREATED, CREATING, Job, Journal, check_nothing_asked
from aslbatch.pipelines.label_standing import read_standing
from aslbatch.schema import RejectReason
from aslbatch.storage.folder import Storage

DAY = "2026-01-02"


@pytest.fixture
def journal(tmp_path):
    return Journal(Storage(str(tmp_path)))


def outcome(name, gloss="CAKE", **changes):
    return replace(Outcome(name, name, gloss, None, "", Usage(10, 5), "m"), **changes)


def job(number=1, **changes):
    values = {
        "hashes": ("a", "b"),
        "request_sha256": "00",
        "most": Usage(100, 50),
        "longest": 50,
        "most_ratio": 1.0,
    }
    return Job(number=number, name=f"job-{number}", **(values | changes))


def keep_chats(journal, numbers):
    for number in numbers:
        stem = f"chat-{number:06d}"
        journal.answers.keep(stem, [outcome(f"t{number}")], {}, job="", day=DAY)


def test_chats_in_many_files_are_put_into_one_and_counted_once(journal, tmp_path):
    journal.answers.keep("000001", [outcome("of a job")], {}, job="j", day=DAY)
    keep_chats(journal, range(1, 11))
    before = read_standing(journal, [])
    journal.answers.merge_chats(many=11)
    assert len(journal.answers.stems()) == 11
    journal.answers.merge_chats(many=10)
    assert journal.answers.stems() == ["000001", "chat-000001-000010"]
    keep_chats(journal, [11, 12])
    journal.answers.merge_chats(many=2)
    assert journal.answers.stems() == ["000001", "chat-000001-000010", "chat-000011-000012"]
    assert len(list((tmp_path / "answers").iterdir())) == 3
    assert journal.answers.chats() == 12
    after = read_standing(journal, [])
    assert before.attempts.keys() | {"t11", "t12"} == after.attempts.keys()
    assert set(after.attempts.values()) == {1}


def test_a_kill_between_the_one_file_and_the_many_counts_nothing_twice(journal, tmp_path):
    keep_chats(journal, range(1, 6))
    many = {file.name: file.read_bytes() for file in (tmp_path / "answers").iterdir()}
    journal.answers.merge_chats(many=5)
    for name, data in many.items():
        (tmp_path / "answers" / name).write_bytes(data)
    assert journal.answers.stems() == ["chat-000001-000005"]
    assert journal.answers.chats() == 5
    assert set(read_standing(journal, []).attempts.values()) == {1}
    journal.answers.merge_chats()
    assert len(list((tmp_path / "answers").iterdir())) == 1


def test_answers_of_one_name_are_those_that_were_written_first(journal):
    first = journal.answers.keep("000001", [outcome("a")], {}, job="j", day=DAY)
    same = journal.answers.keep("000001", [outcome("a")], {}, job="j", day=DAY)
    assert same.equals(first)
    with pytest.raises(SinkError, match=r"answers/000001\.parquet was written by another process"):
        journal.answers.keep("000001", [outcome("b")], {}, job="j", day=DAY)


def test_what_was_not_counted_is_kept_at_its_most(journal):
    failed = outcome("b", None, failure=RejectReason.REFUSED, usage=Usage(), uncounted=1)
    journal.answers.keep("000001", [outcome("a"), failed], {"b": Usage(70, 90)}, job="j", day=DAY)
    lost = job(possible_orphans=("one", "two"), stray_usage=Usage(1, 2))
    found = read_standing(journal, [lost])
    assert found.usage == Usage(11, 7)
    assert found.uncounted == Usage(70 + 200, 90 + 100)


def test_a_missing_record_is_noticed_by_those_after_it_and_by_answers(journal, tmp_path):
    for number in (1, 2, 3):
        journal.write(job(number))
    assert [each.number for each in journal.jobs()] == [1, 2, 3]
    (tmp_path / "jobs/000003.json").unlink()
    assert len(journal.jobs()) == 2
    journal.answers.keep("000003", [outcome("a")], {}, job="j", day=DAY)
    with pytest.raises(SinkError, match=r"jobs/000003\.json is missing"):
        journal.jobs()
    (tmp_path / "jobs/000001.json").unlink()
    with pytest.raises(SinkError, match=r"jobs/000001\.json is missing"):
        journal.jobs()


def test_texts_of_gold_stay_when_the_set_changes(journal):
    journal.keep_gold({"a": "One.", "b": "Two."})
    journal.keep_gold({"b": "Two.", "c": "Three."})
    journal.keep_gold({})
    assert journal.gold() == {"a": "One.", "b": "Two.", "c": "Three."}


def test_an_output_with_jobs_under_way_is_not_deleted(tmp_path):
    storage = Storage(str(tmp_path))
    journal = Journal(storage.below("_teacher/run"))
    check_nothing_asked(storage, "run")
    journal.write(job(1))
    check_nothing_asked(storage, "run")
    for waiting in (
        job(1, state=CREATING),
        job(1, state=CREATED, job="batches/x"),
        job(1, possible_orphans=("lost",)),
    ):
        journal.write(waiting)
        with pytest.raises(SinkError, match=r"1 jobs of its run are under way"):
            check_nothing_asked(storage, "run")
        check_nothing_asked(storage, "another")
