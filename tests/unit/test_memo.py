"""What is remembered, and for how long."""

from aslbatch.stages.memo import Memo


def test_what_was_put_is_found_and_counted():
    memo = Memo()
    memo.put("yes", 1)
    assert (memo.get("yes"), memo.get("no")) == (1, None)
    assert memo.hits == 1


def test_long_texts_are_not_remembered():
    memo = Memo(most_characters=3)
    memo.put("long", 1)
    memo.put("yes", 2)
    assert (memo.get("long"), memo.get("yes")) == (None, 2)


def test_it_never_grows_beyond_its_size():
    memo = Memo(most_entries=10)
    for number in range(1_000):
        memo.put(str(number), number + 1)
        assert len(memo) <= 10
    assert memo.get("999") == 1_000
    assert memo.get("0") is None


def test_what_is_used_stays_and_what_is_not_goes():
    memo = Memo(most_entries=10)
    memo.put("often", 1)
    for number in range(100):
        memo.put(str(number), number + 1)
        assert memo.get("often") == 1
    assert memo.get("1") is None
