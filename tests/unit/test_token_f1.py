import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslbatch.evaluation.token_f1 import corpus_token_f1, token_f1

WORDS = st.lists(st.sampled_from(["IX-1", "WANT", "CAKE", "cake", "#ANNA"]), max_size=8)


@pytest.mark.parametrize(
    ("hypothesis", "reference", "expected"),
    [
        ("IX WANT CAKE", "IX WANT CAKE", 1.0),
        ("CAKE WANT IX", "ix want cake", 1.0),
        ("IX WANT", "IX WANT CAKE NOW", 2 * 2 / 6),
        ("CAKE CAKE CAKE", "CAKE", 2 * 1 / 4),
        ("CAKE", "CAKE CAKE CAKE", 2 * 1 / 4),
        ("#ANNA", "ANNA", 0.0),
        ("", "CAKE", 0.0),
        ("CAKE", " ", 0.0),
        ("", "  ", 1.0),
    ],
)
def test_token_f1_of_known_rows(hypothesis, reference, expected):
    assert token_f1(hypothesis, reference) == pytest.approx(expected)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_token_f1_is_symmetric_and_blind_to_order(ours, theirs):
    value = token_f1(" ".join(ours), " ".join(theirs))
    assert 0 <= value <= 1
    assert value == token_f1(" ".join(theirs), " ".join(reversed(ours)))


def test_corpus_token_f1_is_the_mean_over_rows_not_over_tokens():
    assert corpus_token_f1(["A", "B C D E"], ["A", "W X Y Z"]) == pytest.approx(50.0)


@pytest.mark.parametrize(("hypotheses", "references"), [([], []), (["A"], ["A", "B"])])
def test_corpus_token_f1_refuses_rows_that_do_not_pair(hypotheses, references):
    with pytest.raises(ValueError, match="as many hypotheses"):
        corpus_token_f1(hypotheses, references)
