"""Gloss in a form that conventions share, and the classes of its signs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslbatch.text.gloss import SignClass, normalized_gloss, sign_class


@pytest.mark.parametrize(
    ("gloss", "normalized"),
    [
        ("ix-1p want book", "IX WANT BOOK"),
        ("IX++ PRO.1 THUMB-IX-3p:i IX-loc:j IX-he", "IX IX IX IX IX"),
        ("POSS-3p:i HOUSE POSS-1P", "POSS HOUSE POSS"),
        ("fs-JOHN fs:Mary #GRANT S-C-O-T-T", "#JOHN #MARY #GRANT #SCOTT"),
        ("cl:push-back cl: two+cars CL:5 FLOCK", "CL:PUSH-BACK CL:TWO+CARS CL:5 FLOCK"),
        ("FEEL++ WALK +++ LOOK+", "FEEL WALK LOOK"),
        ("//WHAT\\\\ !BAD! REALLY?", "WHAT BAD REALLY"),
        ("MAN (head nods) GO [HEAD SHAKE] <T> NOW ^[neg]", "MAN GO NOW"),
        ("(1h)GIVE:j (2h)WANT", "GIVE WANT"),
        ("HOME+WORK SET-UP NOT-YET", "HOME+WORK SET-UP NOT-YET"),
        ("8:46 0230 UTC 1/2 £27", "8:46 0230 UTC 1/2 £27"),
        ("  ", ""),
    ],
)
def test_conventions_are_brought_together(gloss, normalized):
    assert normalized_gloss(gloss) == normalized


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("#JOHN", SignClass.FINGERSPELLED),
        ("IX", SignClass.POINTING),
        ("CL:5", SignClass.CLASSIFIER),
        ("DCL:B", SignClass.CLASSIFIER),
        ("8:46", SignClass.NUMBER),
        ("£27", SignClass.NUMBER),
        ("#39", SignClass.NUMBER),
        ("CLASS", None),
        ("SIX", None),
        ("HOUSE", None),
    ],
)
def test_signs_have_classes(token, expected):
    assert sign_class(token) is expected


@given(st.text(st.sampled_from("AbX-IxX+:#fsclCL()[]<>/\\!?12 "), max_size=40))
def test_normalizing_twice_changes_nothing(gloss):
    once = normalized_gloss(gloss)
    assert normalized_gloss(once) == once
