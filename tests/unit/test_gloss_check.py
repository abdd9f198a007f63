"""Which glosses of a teacher have the form of one."""

import pytest

from aslbatch.labeling.gloss_check import gloss_fault
from aslbatch.schema import RejectReason

SENTENCE = "This is a sentence of some words, as they come."


@pytest.mark.parametrize(
    "gloss",
    [
        "IX WANT BAKE CHOCOLATE CAKE FOR SISTER BIRTHDAY",
        "#JOHN #GRANT S-C-O-T-T #39#C fs-JOHN fs-john ns-lincoln",
        "IX IX++ IX-he ix-MECCA IX-3p:i THUMB-IX-3p:i POSS-3p:i",
        "cl:push-back",
        "cl: two+cars",
        "CL:5 flock travel",
        "ICL:HOLD",
        "(cl: crown on his head)",
        '(1h)DCL:B"hair on head"',
        "//WHAT\\\\ HOWq !BAD! FEEL++ WALK +++",
        "FIND+OUT SET-UP GIVE-him GIVE:j HOME+WORK A~B",
        "8:46 0230 UTC 1/2 £27",
        "8:46",
        "MAN (head nods) GO [HEAD SHAKE] <T>NOW</T> ^[neg]",
        "wh-q WHO neg IX-1p KNOW part:indef QMwg",
        "X-I DESC-GOOD X-POSS",
        "ALGERIA ÜBER #ÑANDÚ #HAWAI\u02bbI",
        "MY DOG CL:3 car passes by fast",
        "YESTERDAY MAN GO to STORE",
        "NO NO NO NO",
        "I",
        "OK",
    ],
)
def test_glosses_as_corpora_have_them_pass(gloss):
    assert gloss_fault(gloss, SENTENCE) is None


@pytest.mark.parametrize(
    "gloss",
    [
        "",
        " ",
        "...",
        "++",
        "Once those things come out, they never go back.",
        "The Man Goes Home",
        "man go home",
        "I cannot help with that.",
        "cl: the man walks down the long street today",
        "(the man goes home and sees it)",
        "(head nods)",
        "DOG\nRUN",
        "DOG\tRUN",
        "DOG\u200bRUN",
        "DOG\u2028RUN",
        "DOG \ud800",
        " ".join(f"SIGN{number}" for number in range(41)),
        "SUPERCALIFRAGILISTIC-" * 5 + "UNBELIEVABLE-" * 5 + "INCOMPREHENSIBLE-" * 5,
    ],
)
def test_what_is_no_gloss_is_found(gloss):
    assert gloss_fault(gloss, SENTENCE)[0] is RejectReason.INVALID_GLOSS


def test_the_text_itself_is_no_gloss_unless_it_is_in_capitals():
    text = "NASA AND ESA MET AT the UNITED NATIONS"
    assert gloss_fault(text, text)[0] is RejectReason.INVALID_GLOSS
    assert gloss_fault(text, SENTENCE) is None
    assert gloss_fault("OK", "OK") is None


@pytest.mark.parametrize(
    "gloss",
    ["TU " * 7, "tu-" * 7, "MAN GO HOME " * 6, "A B C D E F G H " * 6, "HA" * 20, "NO" + "O" * 60],
)
def test_loops_are_found(gloss):
    assert gloss_fault(gloss, SENTENCE)[0] is RejectReason.LOOPING


def test_what_the_source_repeats_may_be_repeated():
    source = "No, no, no, no, no, no, no, no!"
    assert gloss_fault("NO " * 8, source.replace(",", "").replace("!", "")) is None
    assert gloss_fault("NO " * 9, "no " * 8)[0] is RejectReason.LOOPING
    assert gloss_fault("HA" * 12, "ha" * 12) is None


@pytest.mark.parametrize("gloss", ["СОБАКА", "DOG собака", "你好", "DOG いぬ"])
def test_another_script_is_found_unless_the_source_has_it(gloss):
    assert gloss_fault(gloss, SENTENCE)[0] is RejectReason.WRONG_LANGUAGE
    assert gloss_fault(f"WORD {gloss.upper()}", f"The word {gloss.lower()}.") is None


def test_details_quote_what_was_found_on_one_line():
    for gloss in ["a\nb", "word " * 100, "\ud800A"]:
        detail = gloss_fault(gloss, SENTENCE)[1]
        detail.encode()
        assert "\n" not in detail
        assert len(detail) < 200
