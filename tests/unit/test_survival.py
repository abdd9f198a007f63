import pytest

from aslbatch.evaluation.survival import survival_share, survives


@pytest.mark.parametrize(
    ("word", "gloss", "expected"),
    [
        ("Dolores", "#DOLORES LEAVE FINISH", True),
        ("blicket", "IX-1 SEE BLICKET", True),
        ("blicket", "IX-1 SEE blicket", False),
        ("blicket", "IX-1 SEE BLICKETS", False),
        ("blicket", "IX-1 SEE BLICK ET", False),
        ("blicket", "BLICKET-BOX", False),
        ("blicket", "##BLICKET", False),
        ("señor", "SEÑOR COME", True),
        ("blicket", "", False),
    ],
)
def test_survives_only_as_a_whole_token_in_capitals(word, gloss, expected):
    assert survives(word, gloss) is expected


def test_survival_share_counts_words_of_all_rows_together():
    words = [["zarn", "blick"], [], ["omo", "tef"]]
    assert survival_share(words, ["#ZARN BLICK", "HELLO", "OMO"]) == pytest.approx(75.0)


def test_survival_share_refuses_rows_that_do_not_pair():
    with pytest.raises(ValueError, match="shorter"):
        survival_share([["a"], ["b"]], ["A"])


def test_survival_share_refuses_to_divide_by_no_words():
    with pytest.raises(ValueError, match="at least one word"):
        survival_share([[], []], ["A", "B"])
