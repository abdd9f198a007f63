"""What of a teacher's answers is believed."""

import json

import pytest

from aslbatch.labeling.answers import Asked, check_answers
from aslbatch.labeling.protocol import Ending, RawAnswer, Usage
from aslbatch.provenance.hashing import source_hash
from aslbatch.schema import RejectReason

TEXTS = {"r1": "The dog runs.", "r2": "My sister bakes.", "r3": "Where is it?"}
ASKS = {key: Asked(source_hash(text), text) for key, text in TEXTS.items()}
GLOSSES = {"r1": "DOG RUN", "r2": "POSS SISTER BAKE", "r3": "IX WHERE"}
COMPLETE = Ending.COMPLETE


def body(key="r1", **changes):
    return {"id": key, "source_hash": ASKS[key].source_hash, "gloss": GLOSSES[key], **changes}


def answer(key="r1", text=None, ending=COMPLETE, **rest):
    return RawAnswer(key, ending, json.dumps(body(key)) if text is None else text, **rest)


def only(*lines, key="r1"):
    found = check_answers({key: ASKS[key]}, lines)
    assert found.strays == 0
    (outcome,) = found.outcomes
    assert (outcome.gloss is None) == (outcome.failure is not None) == bool(outcome.detail)
    assert (outcome.key, outcome.source_hash) == (key, ASKS[key].source_hash)
    return outcome


def test_answers_in_another_order_are_told_apart():
    found = check_answers(ASKS, map(answer, ["r3", "r1", "r2"]))
    assert [(each.key, each.gloss) for each in found.outcomes] == list(GLOSSES.items())


def test_an_answer_under_another_key_is_not_believed():
    swapped = [
        RawAnswer(key, COMPLETE, json.dumps(body(other)))
        for key, other in [("r1", "r2"), ("r2", "r1"), ("r3", "r3")]
    ]
    found = check_answers(ASKS, swapped).outcomes
    assert [each.failure for each in found] == ["misplaced_answer", "misplaced_answer", None]
    assert "'r2', expected 'r1'" in found[0].detail


@pytest.mark.parametrize(
    "changes", [{"id": "r2"}, {"source_hash": ASKS["r2"].source_hash}, {"source_hash": ""}]
)
def test_half_an_echo_is_not_enough(changes):
    found = only(answer(text=json.dumps(body(**changes))))
    assert found.failure is RejectReason.MISPLACED_ANSWER


def test_a_request_without_an_answer_is_missing():
    assert only().failure is RejectReason.MISSING_ANSWER


def test_the_same_answer_twice_is_one_and_is_paid_twice():
    found = only(*[answer(usage=Usage(10, 4), model="teacher-1")] * 2)
    assert (found.gloss, found.usage, found.model) == ("DOG RUN", Usage(20, 8), "teacher-1")


def test_answers_that_differ_are_both_refused():
    found = only(answer(), answer(text=json.dumps(body(gloss="DOG GO"))))
    assert found.failure is RejectReason.REPEATED_ANSWER
    assert "DOG RUN" in found.detail
    assert "DOG GO" in found.detail


def test_an_answer_beside_an_error_is_not_believed():
    found = only(answer(), answer(text="", ending=Ending.ERROR, detail="overloaded"))
    assert found.failure is RejectReason.REPEATED_ANSWER


@pytest.mark.parametrize(
    ("ending", "failure"),
    [
        (Ending.CUT, RejectReason.CUT_OFF),
        (Ending.REFUSED, RejectReason.REFUSED),
        (Ending.ERROR, RejectReason.SERVICE_ERROR),
    ],
)
def test_what_did_not_end_well_is_not_believed_even_where_it_looks_whole(ending, failure):
    line = answer(ending=ending, detail="said\nthis", usage=Usage(5, 6))
    found = only(line)
    assert (found.failure, found.usage) == (failure, Usage(5, 6))
    assert "said this" in found.detail
    assert only(line, answer(ending=ending, detail="other", text="x")).failure is failure


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_answer_is_a_refusal(text):
    assert only(answer(text=text)).failure is RejectReason.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(body())[:-2],
        "DOG RUN",
        "null",
        json.dumps([body()]),
        json.dumps(json.dumps(body())),
        json.dumps(body()) + json.dumps(body()),
        "Here it is: " + json.dumps(body()),
        json.dumps({"id": "r1", "gloss": "DOG RUN"}),
        json.dumps(body(note="as you wish")),
        json.dumps(body(gloss=None)),
        json.dumps(body(gloss=["DOG", "RUN"])),
        json.dumps(body(gloss={"text": "DOG"})),
        json.dumps(body())[:-1] + ', "gloss": "DOG GO"}',
        "```json\n" + json.dumps(body()),
        "[" * 100_000,
        "9" * 10_000,
        "\ufeff" + json.dumps(body()),
    ],
)
def test_only_the_object_that_was_asked_for_is_read(text):
    found = only(answer(text=text))
    assert found.failure is RejectReason.INVALID_JSON
    assert len(found.detail) <= 300


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```\n", "\n```JSON \n{}\n\n```"])
def test_a_code_fence_is_taken_off(fence):
    assert only(answer(text=fence.replace("{}", json.dumps(body(), indent=1)))).gloss == "DOG RUN"


@pytest.mark.parametrize(
    ("gloss", "failure"),
    [
        ("", RejectReason.INVALID_GLOSS),
        ("The dog runs.", RejectReason.INVALID_GLOSS),
        ("DOG \ud800", RejectReason.INVALID_GLOSS),
        ("RUN " * 40, RejectReason.LOOPING),
        ("СОБАКА", RejectReason.WRONG_LANGUAGE),
    ],
)
def test_a_gloss_that_is_none_is_not_accepted(gloss, failure):
    found = only(answer(text=json.dumps(body(gloss=gloss))))
    assert found.failure is failure
    found.detail.encode()  # raises where no file could hold it


def test_spaces_around_a_gloss_are_taken_off():
    assert only(answer(text=json.dumps(body(gloss=" DOG RUN ")))).gloss == "DOG RUN"


def test_details_of_a_service_are_put_on_one_line_that_files_can_hold():
    found = only(answer(text="", ending=Ending.ERROR, detail="a\n\ud800" + "x" * 5_000))
    found.detail.encode()
    assert len(found.detail) <= 300
    assert "\n" not in found.detail


def test_foreign_lines_are_counted_and_paid():
    lines = [
        answer(usage=Usage(1, 1)),
        RawAnswer(None, COMPLETE, json.dumps(body("r2")), usage=Usage(2, 3)),
        RawAnswer("r9", COMPLETE, json.dumps(body("r3")), usage=Usage(4, 5)),
    ]
    found = check_answers(ASKS, lines)
    assert (found.strays, found.stray_usage) == (2, Usage(6, 8))
    assert [each.failure for each in found.outcomes] == [None, "missing_answer", "missing_answer"]


def test_all_failures_count():
    teachers = list(RejectReason)[list(RejectReason).index(RejectReason.MISSING_ANSWER) :]
    assert len(teachers) == 10
    assert all(each.is_failure for each in teachers)
