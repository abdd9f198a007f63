"""Gloss in a form that conventions share, and the classes of its signs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslbatch.text.gloss import SignClass, normalized_gloss, sign_class


@pytest.mark.parametrize(
    ("gloss", "normalized"),
    [
        ("ix-1p want book", "IX WANT BOOK"),
        ("IX++ PRO.1 PRO-1 THUMB-IX-3p:i IX-loc:j IX-he IX=he IX(loc)", "IX IX IX IX IX IX IX IX"),
        ("POSS-3p:i HOUSE POSS-1P X-POSS", "POSS HOUSE POSS POSS"),
        ("X-I WANT X-Y DESC-GOOD", "X-I WANT X-Y DESC-GOOD"),
        ("fs-JOHN fs:Mary #GRANT S-C-O-T-T", "#JOHN #MARY #GRANT #SCOTT"),
        ("fs-J-O-H-N #J-O-H-N fs:A", "#JOHN #JOHN #A"),
        ("ns-LINCOLN pn:LINCOLN pn:J", "NS-LINCOLN NS-LINCOLN NS-J"),
        ("cl:push-back cl: two+cars CL:5 FLOCK", "CL:PUSH-BACK CL:TWO+CARS CL:5 FLOCK"),
        ("(cl: crown on head) CL(big round)", "CL:CROWN-ON-HEAD CL:BIG-ROUND"),
        ('DCL:B"hair on head" BPCL:V PCL:V ICL:HOLD', "DCL:BHAIR-ON-HEAD BPCL:V PCL:V ICL:HOLD"),
        ("FEEL++ WALK +++ LOOK+", "FEEL WALK LOOK"),
        ("//WHAT\\\\ !BAD! REALLY?", "WHAT BAD REALLY"),
        ("MAN (head nods) GO [HEAD SHAKE] <T>NOW</T> ^[neg]", "MAN GO NOW"),
        ("FEEL[mult] GO(hn) (1h)GIVE:j (2h)WANT WANT(2h)", "FEEL GO GIVE WANT WANT"),
        ("(IX MAN WANT BOOK) A < B > C", "(IX MAN WANT BOOK) A < B > C"),
        ("i:GIVE:j GIVE:1p part:indef GIVE-him", "GIVE GIVE PART:INDEF GIVE-HIM"),
        ("HOME+WORK SET-UP NOT-YET", "HOME+WORK SET-UP NOT-YET"),
        (
            "8:46 0230 UTC 1/2 \u00bd \u00a327 20-30 1980s",
            "8:46 0230 UTC 1/2 1/2 \u00a327 20-30 1980S",
        ),
        ("  ", ""),
    ],
)
def test_conventions_are_brought_together(gloss, normalized):
    assert normalized_gloss(gloss) == normalized


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("#JOHN", SignClass.FINGERSPELLED),
        ("#", None),
        ("X-I", None),
        ("IX", SignClass.POINTING),
        ("CL:5", SignClass.CLASSIFIER),
        ("CL-5:FLOCK", SignClass.CLASSIFIER),
        ("DCL:B", SignClass.CLASSIFIER),
        ("BPCL:V", SignClass.CLASSIFIER),
        ("8:46", SignClass.NUMBER),
        ("\u00a327", SignClass.NUMBER),
        ("#39", SignClass.NUMBER),
        ("#39#C", SignClass.NUMBER),
        ("20-30", SignClass.NUMBER),
        ("1980S", SignClass.NUMBER),
        ("1ST", SignClass.NUMBER),
        ("-5", SignClass.NUMBER),
        ("CLASS", None),
        ("SIX", None),
        ("HOUSE", None),
    ],
)
def test_signs_have_classes(token, expected):
    assert sign_class(token) is expected


@given(st.text(st.sampled_from('AbX-IxX+:#fsclCLPROShj()[]<>/\\!?.,"12 '), max_size=40))
def test_normalizing_twice_changes_nothing(gloss):
    once = normalized_gloss(gloss)
    assert normalized_gloss(once) == once


@given(st.lists(st.sampled_from(["HOUSE", "IX", "#ANNA", "CL:5", "12", "GIVE-HIM"]), max_size=8))
def test_what_is_normalized_stays_token_by_token(tokens):
    assert normalized_gloss(" ".join(tokens)).split() == tokens
