"""Requests and answers in OpenAI's format, from whatever service they are."""

import json

import pytest
from teacher_asks import ASKS

from aslbatch.labeling.openai_requests import ChatRequests, read_body, read_line, read_lines
from aslbatch.labeling.protocol import Ending, RawAnswer, Usage

COMPLETION = {
    "model": "m-2026-01-02",
    "choices": [{"finish_reason": "stop", "message": {"content": '{"gloss": "CAKE"}'}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5},
}
GOOD = RawAnswer(
    "a", Ending.COMPLETE, '{"gloss": "CAKE"}', usage=Usage(12, 5), model="m-2026-01-02"
)


def line_of(**parts):
    return json.dumps({"custom_id": "a", **parts}).encode()


def choice(**parts):
    return {**COMPLETION, "choices": [parts]}


def test_a_request_is_in_the_words_of_openai():
    line = ChatRequests("m", 0.0, 500).line(ASKS[0])
    said = json.loads(line)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert said == {
        "custom_id": "r0",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Gloss it."},
                {"role": "user", "content": ASKS[0].user},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "gloss",
                    "strict": True,
                    "schema": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "string"},
                            "source_hash": {"type": "string"},
                            "gloss": {"type": "string"},
                        },
                        "required": ["id", "source_hash", "gloss"],
                        "additionalProperties": False,
                    },
                },
            },
            "max_completion_tokens": 500,
            "temperature": 0.0,
        },
    }
    assert "temperature" not in ChatRequests("m", None, 500).body(ASKS[0])


@pytest.mark.parametrize(
    "line",
    [
        line_of(response={"status_code": 200, "body": COMPLETION}, error=None),
        line_of(response={"body": COMPLETION}),
        line_of(response=COMPLETION),
    ],
)
def test_a_completion_is_below_body_or_not(line):
    assert read_line(line) == GOOD


def test_a_chat_answers_with_the_same():
    assert read_body("a", json.dumps(COMPLETION).encode()) == GOOD


@pytest.mark.parametrize(
    ("part", "ending", "detail"),
    [
        ({"finish_reason": "length", "message": {"content": '{"gl'}}, "cut", ""),
        ({"finish_reason": "length", "message": {"content": None}}, "cut", ""),
        ({"finish_reason": "content_filter", "message": {}}, "refused", "content_filter"),
        ({"finish_reason": "stop", "message": {"refusal": "I can't."}}, "refused", "I can't."),
        (
            {"finish_reason": "stop", "message": {"content": " \n"}},
            "refused",
            "no text, finish_reason stop",
        ),
        ({}, "error", "an answer without choices"),
        ({"message": None}, "refused", "no text, finish_reason not given"),
        ({"finish_reason": "abort", "message": {"content": "x"}}, "error", "finish_reason abort"),
    ],
)
def test_how_answers_end(part, ending, detail):
    answer = read_line(line_of(response={"status_code": 200, "body": choice(**part)}))
    assert (answer.key, answer.ending, answer.detail) == ("a", ending, detail)
    assert answer.usage == Usage(12, 5)


@pytest.mark.parametrize("code", ["batch_expired", "batch_cancelled"])
def test_a_request_that_was_never_taken_up_has_no_answer(code):
    line = line_of(response=None, error={"code": code, "message": "Not executed in time."})
    assert list(read_lines([line, b"\n"])) == []


def test_nothing_that_a_service_wrote_keeps_a_secret():
    def hide(text):
        return text.replace("SECRET", "***")

    error = {"code": "c", "message": f"{'x' * 190} SECRET"}
    body = {"model": "SECRET", "choices": [{"message": {"content": "a SECRET"}}]}
    for answer in (
        read_line(line_of(error=error), hide),
        read_line(line_of(response={"status_code": 200, "body": body}), hide),
        read_line(b"no JSON: SECRET", hide),
        read_body("a", json.dumps({"error": {"message": "SECRET"}}).encode(), hide),
        read_body("a", b"SECRET", hide),
    ):
        assert "***" in repr(answer) or "x" * 190 in answer.detail
        assert "SEC" not in repr(answer)


@pytest.mark.parametrize(
    ("parts", "detail"),
    [
        (
            {"response": {"status_code": 429, "body": {"error": {"code": "c", "message": "m"}}}},
            "429: c: m",
        ),
        (
            {"response": None, "error": {"code": "server_error", "message": "Late."}},
            "server_error: Late.",
        ),
        ({"response": {"status_code": 400, "body": None}, "error": "No\nmodel."}, "400: No model."),
        (
            {
                "response": {"status_code": 500},
                "error": {"error": {"code": 500, "message": "Dead"}},
            },
            "500: 500: Dead",
        ),
        ({"response": {"status_code": 200, "body": {"error": {"message": "m"}}}}, "m"),
        ({"response": {"status_code": 503, "body": {}}}, '503: {"custom_id": "a", '),
        ({}, '{"custom_id": "a"}'),
        ({"response": "good", "error": 7}, "7"),
    ],
)
def test_errors_say_why(parts, detail):
    answer = read_line(line_of(**parts))
    assert (answer.key, answer.ending) == ("a", Ending.ERROR)
    assert answer.detail.startswith(detail)


@pytest.mark.parametrize(
    "line",
    [
        line_of(response={"status_code": 200, "body": COMPLETION})[:-9] + b"x" * 500,
        b"[1, 2]",
        b"\xff\xfe{",
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
def test_damaged_lines_show_how_they_begin(line):
    answer = read_line(line)
    assert (answer.key, answer.ending) == (None, Ending.ERROR)
    assert 0 < len(answer.detail) <= 200
    assert answer.detail == line.decode(errors="replace")[:200]


@pytest.mark.parametrize(
    "body",
    [
        {"choices": 7},
        {"choices": [7], "usage": 7, "model": 7},
        {"choices": [{"message": {"content": 7}}], "usage": {"prompt_tokens": "x"}},
        {"choices": [{"message": {"content": []}}], "usage": {"prompt_tokens": -1}},
        {"choices": [{"message": 7}], "usage": {"prompt_tokens": True}},
    ],
)
def test_bodies_of_any_shape_are_read(body):
    answer = read_line(line_of(response={"status_code": 200, "body": body}))
    assert answer.ending in (Ending.ERROR, Ending.REFUSED)
    assert (answer.text, answer.usage, answer.model) == ("", Usage(), "")


@pytest.mark.parametrize("name", ["", 7, None])
def test_an_answer_without_a_key_keeps_what_it_cost(name):
    answer = read_line(json.dumps({"custom_id": name, "response": COMPLETION}).encode())
    assert answer.key is None
    assert (answer.text, answer.usage) == (GOOD.text, GOOD.usage)


def test_half_characters_do_not_get_through():
    half = choice(finish_reason="length", message={"content": "CAKE \ud83d"})
    answer = read_line(line_of(response=half))
    assert answer.text == "CAKE ?"


def test_blank_lines_are_no_answers():
    lines = [b"\n", line_of(response=COMPLETION) + b"\r\n", b"  \n", line_of(response=COMPLETION)]
    assert list(read_lines(lines)) == [GOOD, GOOD]
