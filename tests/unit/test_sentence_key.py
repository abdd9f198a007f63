"""When two English sentences count as the same."""

import pytest

from aslbatch.text.sentence_key import sentence_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It's 5 o'clock!", "its 5 OCLOCK"),
        ("Well -- hold on...", "well, hold on"),
        ("A naïve   plan", "a nai\u0308ve plan"),
        ("The STRASSE is long", "the straße is long"),
        ("\ufb01ve", "FIVE"),
    ],
)
def test_case_punctuation_and_white_space_do_not_count(one, other):
    assert sentence_key(one) == sentence_key(other)


def test_words_and_numbers_count():
    assert len(set(map(sentence_key, ["I have 2 cats", "I have 3 cats", "I had 2 cats"]))) == 3


def test_a_text_without_words_has_itself_for_a_key():
    assert sentence_key("? !") == "?!"
    assert sentence_key("? !") != sentence_key("...")
