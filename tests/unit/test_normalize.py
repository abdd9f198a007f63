import time
from dataclasses import replace

import pytest

from aslbatch.schema import RejectReason
from aslbatch.text.normalize import NormalizeRules, examine, normalize

RULES = NormalizeRules()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  two \t words\r\n here\u2028 ", "two words here"),
        ("AT&amp;T &#39;s &nbsp;&lt;3 &copy;", "AT&T 's <3 ©"),
        ("AT&T; & &notit; &unknown;", "AT&T; & &notit; &unknown;"),
        ("&amp;amp;#39;", "'"),
        ("<i>Hello</i>, <b>world</b>", "Hello, world"),
        ('<font color="#fff">red</font >', "red"),
        ("one<br>two<br />three<BR/>four", "one two three four"),
        ("<v Mary Smith>Hi <v.loud Bob>there</v>", "Hi there"),
        ("<00:00:01.500><c.yellow>now</c> <01:02.003>then", "now then"),
        ("<!-- note -->text", "text"),
        (r"{\an8\i1}Up\Nthere{\i0}", "Up there"),
        (r"C:\new {braces} stay", r"C:\new {braces} stay"),
        ("a < b, c > d, I <3 you, a <b and c> d", "a < b, c > d, I <3 you, a <b and c> d"),
        ("&lt;i&gt;nested&lt;/i&gt;", "nested"),
        ("\uff1ci\uff1enested", "nested"),
        ("“It’s” ‘fine’… don´t", "\"It's\" 'fine'... don't"),  # noqa: RUF001
        ("well–known — yes", "well–known — yes"),  # noqa: RUF001
        ("a\x00b\x7f\x9f\u200b\ufeff\u00adc\u2060", "abc"),
        ("ﬁne e\u0301 ①", "fine é 1"),
        ("ŉ", "'n"),
    ],
)
def test_normalize_cleans(text, expected):
    assert normalize(text, RULES) == expected
    assert normalize(expected, RULES) == expected


@pytest.mark.parametrize(
    ("switch", "text"),
    [
        ("unescape_entities", "a &amp; b"),
        ("strip_markup", r"<i>a</i> {\an8}b\Nc"),
        ("fold_punctuation", "‘a’ “b”"),  # noqa: RUF001
        ("strip_control", "a\x00b\u200bc"),
        ("nfkc", "ﬁne …"),
    ],
)
def test_each_switch_turns_its_rule_off(switch, text):
    off = replace(
        RULES, **{switch: False}, **({"fold_punctuation": False} if switch == "nfkc" else {})
    )
    assert normalize(text, off) == text
    assert normalize(text, RULES) != text


def test_deep_nesting_ends():
    text = "<<<<<<<b>b>b>b>b>b>b> &<i>amp;</i>"
    cleaned = normalize(text, RULES)
    assert normalize(cleaned, RULES) == cleaned


@pytest.mark.parametrize(
    ("original", "reason"),
    [
        ("", RejectReason.EMPTY),
        (" \t\u00a0\n", RejectReason.EMPTY),
        ("<i></i>", RejectReason.MARKUP_ONLY),
        ("\ufeff\u200b", RejectReason.MARKUP_ONLY),
        ("&nbsp;", RejectReason.MARKUP_ONLY),
        (r"{\an8} ", RejectReason.MARKUP_ONLY),
        ("♪ ♪", RejectReason.NO_WORDS),
        ("😀!", RejectReason.NO_WORDS),
        ("<i>- ...</i>", RejectReason.NO_WORDS),
        ("a" * 10_001, RejectReason.TOO_LONG),
        ("a" * 10_000, None),
        ("7", None),
        ("да", None),
        ("♪ la ♪", None),
        ("你好", None),
    ],
)
def test_examine_says_why_nothing_can_be_translated(original, reason):
    found = examine(original, normalize(original, RULES), RULES)
    assert (found and found[0]) == reason


def test_too_long_gives_length_and_key():
    found = examine("abc", "abc", NormalizeRules(max_characters=2))
    assert found is not None
    assert "3 characters, the limit is 2" in found[1]
    assert "normalize.max_characters" in found[1]


def test_markup_does_not_count_as_length():
    rules = NormalizeRules(max_characters=2)
    assert examine("<i>ab</i>", normalize("<i>ab</i>", rules), rules) is None


@pytest.mark.parametrize(
    "piece",
    [
        *("<", "&", "&amp;", "&amp", "&#38;", "<a ", "<a x=", "<a  ", "{\\", "<!--", "<v ", "<br "),
        *("\u0301\u0323", "\u0f73", "\\", "<i>", "a", "&#", "<00:"),
    ],
)
def test_megabyte_takes_linear_time(piece):
    started = time.process_time()
    text = piece * (1_000_000 // len(piece))
    for whole in (text, f"<a{text}", f"<{text}>"):
        normalize(whole, RULES)
    # Quadratic time would be minutes at the least.
    assert time.process_time() - started < 20
