from hypothesis import given, settings
from hypothesis import strategies as st

from aslbatch.text.normalize import NormalizeRules, examine, normalize

PIECES = st.sampled_from(
    [
        *"<>&;{}\\/#='\"!- \n\x00\x1c\u0085\u00a0\u00ad\u200b\u2028\u0301\u0323\u0344\u0f73",
        *"ŉ´…’ﬁ＜＞＆；＼｛￼",  # noqa: RUF001
        *"ÃÂâ©€™ƒ¢\x80\x83\x85\x9d",
        *("Ã©", "â€™", "ÃƒÂ©", "&Atilde;", "&copy;", "ï¼œ", "ï¬\x81"),
        *("amp;", "AMP;", "lt;", "gt;", "#38;", "#x26;", "#60;", "nbsp;", "i", "v x", "br", "N"),
        *("<i>", "</i>", "<br/>", "{\\an8}", "\\N", "&amp;", "&lt;", "&gt;", "00:00.000", "a b"),
        *(
            "[",
            "]",
            "(",
            ")",
            "♪",
            "🎵",
            ">>",
            "AB:",
            "J: ",
            "MAN",
            "SIGH",
            "laughs",
            "\u2013",
            "- ",
            "# ",
        ),
        *("{\\p1}", "\\p1", "[SIGHS]", "\n- ", "\uff1a"),
        "\u0301" * 40,
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))
RULES = st.builds(
    NormalizeRules,
    unescape_entities=st.booleans(),
    fix_mojibake=st.booleans(),
    strip_markup=st.booleans(),
    fold_punctuation=st.booleans(),
    strip_control=st.booleans(),
    nfkc=st.booleans(),
    strip_sounds=st.booleans(),
    strip_music=st.booleans(),
    strip_speakers=st.booleans(),
    strip_dashes=st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.one_of(st.just(NormalizeRules()), RULES))
def test_normalizing_twice_changes_nothing(text, rules):
    once = normalize(text, rules)
    assert normalize(once, rules) == once


@settings(max_examples=100, deadline=None)
@given(TEXTS, RULES)
def test_white_space_is_single_blanks_inside(text, rules):
    cleaned = normalize(text, rules)
    assert cleaned == " ".join(cleaned.split())


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_what_passes_has_a_letter_or_digit(text):
    rules = NormalizeRules()
    cleaned = normalize(text, rules)
    passes = examine(text, cleaned, rules) is None
    assert passes == any(character.isalnum() for character in cleaned)
