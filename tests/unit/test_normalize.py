import time
from dataclasses import replace
from pathlib import Path

import pytest

from aslbatch.config.load import load_config
from aslbatch.config.translate import TranslateConfig
from aslbatch.schema import RejectReason
from aslbatch.text.normalize import NormalizeRules, examine, normalize

CONFIGS = Path(__file__).parents[2] / "configs"
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
        ("a\x00b\x7f\x81\u200b\ufeff\u00adc\u2060", "abc"),
        ("ﬁne e\u0301 ①", "fine é 1"),
        ("ŉ", "'n"),
        ("cafÃ© donâ€™t â€œhiâ€\x9d voilÃ\xa0", 'café don\'t "hi" voilà'),
        ("cafÃƒÂ© &Atilde;&copy; <i>Ã</i>©", "café é é"),
        ("it\x92s\x85", "it's..."),
        (r"{\an5\pos(1,2)\p1}m 0 0 l 9 9{\p0}Sign {\p0\pbo1}text", "Sign text"),
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
        ("fix_mojibake", "cafÃ©"),
        ("fold_punctuation", "‘a’ “b”"),  # noqa: RUF001
        ("strip_control", "a\x00b\u200bc"),
        ("nfkc", "ﬁne …"),
        ("strip_sounds", "[SIGHS] Well (APPLAUSE)"),
        ("strip_music", "♪ la ♪"),
        ("strip_speakers", "MAN 2: Hi"),
        ("strip_dashes", "- Hi"),
    ],
)
def test_each_switch_turns_its_rule_off(switch, text):
    off = replace(
        RULES, **{switch: False}, **({"fold_punctuation": False} if switch == "nfkc" else {})
    )
    assert normalize(text, off) == text
    assert normalize(text, RULES) != text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[SIGHS] Well, (APPLAUSE) yes. [DOOR SLAMS]", "Well, yes."),
        ("[Music] [soft music playing] (laughs) (audience laughing) Hi", "Hi"),
        ("see (page 3), the agency (NASA) [sic] [1] (2h) [a]", None),
        ("he (the laughing man) came (music by John) (music lovers)", None),
        ("[SOBS [LOUDLY]] Hi", "Hi"),
        ("♪ I'm walking ♪\n♫ home 🎵", "I'm walking home"),
        ("# I'm walking\nhome #", "I'm walking home"),
        ("we are #1 and #2", None),
        ("JOHN: Hi.\nMAN 2: Yo.", "Hi. Yo."),
        (">> MARY O'NEIL: Hi >> there", "Hi >> there"),
        ("DR. SMITH (SIGHS): Hi", "Hi"),
        ("Note: at 10:30, see A:B", None),
        ("WARNING: hot", None),
        ("ONE TWO THREE FOUR: go", None),
        ("JOHN:Hi, MARY: hi", None),
        ("- Hi.\n- Hello.<br>-Yes\\N– No", "Hi. Hello. Yes No"),  # noqa: RUF001
        ("-...and so?\n-…or not", "...and so? ...or not"),
        ("-5 degrees, well-known - yes", None),
        ("<i>- [SIGHS] JOHN: -- Hi</i>", "Hi"),
    ],
)
def test_captions_are_reduced_to_what_is_said(text, expected):
    cleaned = normalize(text, RULES)
    assert cleaned == (text if expected is None else expected)
    assert normalize(cleaned, RULES) == cleaned


@pytest.mark.parametrize(
    "gloss",
    ["IX-1p [MULT] WANT", "CL: [CAR] MOVE", "#JOHN ARRIVE #", "(2H) GIVE", "QM: WHO", "- NEG"],
)
def test_gloss_passes_with_the_rules_of_its_configuration(gloss):
    config = load_config(CONFIGS / "translate.gloss-to-english.yaml", TranslateConfig)
    assert normalize(gloss, NormalizeRules(**config.normalize_rules())) == gloss


@pytest.mark.parametrize(
    "text",
    [
        *('naïve café — "hi"', "VOILÀ — OUI", "São Paulo, NÃO É", "À LA CARTE", "DÉJÀ VU"),
        *("£5—£6 ±2", "GRÖßE Ångström's ÅBO", "¿Qué? ¡OLÉ! ÑANDÚ'S", "«Ça»", "İstanbul", "привет"),
    ],
)
def test_correct_text_is_no_mojibake(text):
    assert normalize(text, RULES) == text
    assert normalize(f"{text} cafÃ©", RULES) == f"{text} café"


def test_deep_nesting_ends():
    for text in (
        "<<<<<<<b>b>b>b>b>b>b> &<i>amp;</i>",
        "[A" * 9 + " [B]" + "]" * 9 + " - A: B",
        "&<i>#38;<i>#38;#195;" * 3 + "\u200b©",
    ):
        cleaned = normalize(text, RULES)
        assert normalize(cleaned, RULES) == cleaned


@pytest.mark.parametrize("text", ["Ã\u200b© e", "&Atilde;\u200b© <i>é e", "ï¼\u200bœi> e"])
def test_mojibake_below_the_deepest_nesting_ends(text, monkeypatch):
    monkeypatch.setattr("aslbatch.text.normalize.MAX_PASSES", 0)
    cleaned = normalize(text, RULES)
    assert normalize(cleaned, RULES) == cleaned
    assert cleaned.endswith("e")


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
        ("<i>♪</i>", RejectReason.NO_WORDS),
        ("[SIGHS] (APPLAUSE)", RejectReason.NO_WORDS),
        ("JOHN: -", RejectReason.NO_WORDS),
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
        *("[", "(", "[A", "[A]", " (AB)", "(a b) ", "A: ", "AB:", "- ", "-", ">>", "♪", "# ", "\n"),
        *("\n- ", "{\\p", "{\\p1", "{\\p1}", "\\p1", "{\\a"),
    ],
)
def test_megabyte_takes_linear_time(piece):
    check_linear(piece, 1_000_000)


@pytest.mark.parametrize(
    "piece", ["Ã", "Ã©", "Ã\x83Â", "Ã©ж ", "â€", "\x80", "&Atilde;&copy;", "Ã<i>©</i>"]
)
def test_mojibake_takes_linear_time(piece):
    check_linear(piece, 200_000)


def check_linear(piece, characters):
    started = time.process_time()
    text = piece * (characters // len(piece))
    for whole in (text, f"<a{text}", f"<{text}>"):
        normalize(whole, RULES)
    # Quadratic time would be minutes at the least.
    assert time.process_time() - started < 20
