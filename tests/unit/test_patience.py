"""Waiting out what passes."""

import time

import pytest

from aslbatch.labeling.patience import asked_wait_s, patiently


class Answer:
    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class AnsweredError(Exception):
    def __init__(self, **headers: str) -> None:
        super().__init__("answered")
        self.response = Answer(**headers)


class Failing:
    """Fails some times before it works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "worked"


def call(failing, patience_s=10.0):
    return patiently(
        failing,
        is_passing=lambda error: not isinstance(error, ValueError),
        patience_s=patience_s,
        first_wait_s=0.001,
    )


def test_what_passes_is_waited_out():
    failing = Failing(ConnectionError("a"), AnsweredError(), ConnectionError("b"))
    assert call(failing) == "worked"
    assert failing.calls == 4


def test_what_does_not_pass_is_raised_at_once():
    failing = Failing(ConnectionError("a"), ValueError("b"), ConnectionError("c"))
    with pytest.raises(ValueError, match="b"):
        call(failing)
    assert failing.calls == 2


def test_patience_ends_with_what_was_said_last():
    failing = Failing(*(ConnectionError(str(n)) for n in range(100_000)))
    with pytest.raises(ConnectionError) as caught:
        call(failing, patience_s=0.02)
    assert str(caught.value) == str(failing.calls - 1)


def test_a_service_gets_the_wait_that_it_asks_for():
    start = time.monotonic()
    assert call(Failing(AnsweredError(retry_after="0.2"))) == "worked"
    assert time.monotonic() - start >= 0.2


def test_nobody_waits_for_longer_than_their_patience():
    failing = Failing(AnsweredError(retry_after="60"))
    with pytest.raises(AnsweredError):
        call(failing, patience_s=1)
    assert failing.calls == 1


@pytest.mark.parametrize(
    ("error", "wait_s"),
    [
        (AnsweredError(retry_after="7"), 7.0),
        (AnsweredError(retry_after="-7"), 0.0),
        (AnsweredError(retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), 0.0),
        (AnsweredError(), 0.0),
        (ConnectionError(), 0.0),
    ],
)
def test_waits_that_are_asked_for(error, wait_s):
    assert asked_wait_s(error) == wait_s
