"""Work in parts: all of it, in order, what it needs prepared beside it, and errors told."""

import threading

import pytest

from aslbatch.stages.overlap import overlapped

STEPS = {"prepare": list, "work": list, "finish": list}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10])
def test_all_results_come_in_order(count):
    steps = STEPS | {"work": lambda part: [item * 10 for item in part]}
    assert overlapped(range(count), 3, **steps) == [item * 10 for item in range(count)]


def test_the_next_part_is_prepared_while_one_is_worked_on():
    prepared = {number: threading.Event() for number in (0, 3, 6)}

    def prepare(part):
        prepared[part[0]].set()
        return part

    def work(part):
        following = prepared.get(part[0] + 3)
        assert following is None or following.wait(30)
        return part

    assert overlapped(range(9), 3, prepare=prepare, work=work, finish=list) == list(range(9))


@pytest.mark.parametrize("step", STEPS)
def test_what_goes_wrong_in_any_step_is_raised(step):
    def fail(part):
        if 4 in part:
            raise ValueError("four")
        return list(part)

    with pytest.raises(ValueError, match="four"):
        overlapped(range(9), 3, **STEPS | {step: fail})
