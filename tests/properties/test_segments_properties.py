"""Whatever the cues are: each is in a row, rows are in order, and no word is lost or doubled."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from aslbatch.schema import NOTHING_TO_TRANSLATE
from aslbatch.shards.formats import segments
from aslbatch.shards.formats.cues import Cue
from aslbatch.shards.formats.rolling import without_repeats
from aslbatch.shards.formats.segments import segment
from aslbatch.text.normalize import NormalizeRules, examine, normalize
from aslbatch.text.sentences import sentence_spans

RULES = NormalizeRules()
PIECES = st.sampled_from(
    [
        *("- ", "-", "\u2013 ", "\n- ", "\n", " ", ". ", "... ", "! ", "?\n", '"', "<i>", "</i>"),
        *(
            "a",
            "B",
            "Mr.",
            "etc.",
            "U.S.",
            "I",
            "5",
            "The end.",
            "what",
            "JOHN: ",
            ">> ",
            "[SIGHS]",
        ),
        *("\u266a", "\u2026", "{\\an8}", "<v Bob>", "\u00e9", "&amp;", "\u4f60", "x" * 150),
    ]
)
TEXTS = st.lists(PIECES, max_size=10).map("".join) | st.text(max_size=20)
TIMES = st.none() | st.integers(-1_000, 20_000)
CUES = st.builds(
    Cue, TEXTS, TIMES, TIMES, st.sampled_from([None, None, "ANN", "BOB"]), st.just(None)
) | st.just(Cue("", None, None, None, "bad"))
FILES = st.lists(CUES, max_size=20)
# Like files that roll: few lines, one cue after the other.
ROLLING = st.lists(st.lists(st.sampled_from("ABC"), max_size=3), max_size=12).map(
    lambda cues: [Cue("\n".join(lines), at * 10, at * 10 + 10) for at, lines in enumerate(cues)]
)
ROWS = st.sampled_from(["cue", "turn", "sentence"])
quick = settings(max_examples=300, deadline=None)


def words(text: str) -> Counter[str]:
    return Counter(word for word in text.split() if any(map(str.isalnum, word)))


def total(texts: list[str]) -> Counter[str]:
    return sum(map(words, texts), Counter())


@quick
@given(FILES | ROLLING, ROWS, st.booleans())
def test_every_cue_is_in_a_row_and_rows_are_in_order(cues, rows, marks):
    rules = NormalizeRules(strip_dashes=marks, strip_speakers=marks)
    found = segment(cues, rows=rows, rules=rules)
    covered = {cue for row in found for cue in range(row.first_cue, row.last_cue + 1)}
    assert covered == set(range(1, len(cues) + 1))
    firsts = [row.first_cue for row in found]
    assert firsts == sorted(firsts)
    for row in found:
        assert row.start_ms == cues[row.first_cue - 1].start_ms
        assert row.end_ms == cues[row.last_cue - 1].end_ms
    assert segment(cues, rows=rows, rules=rules) == found


@quick
@given(FILES | ROLLING)
def test_cues_are_rows_one_to_one(cues):
    found = segment(cues, rows="cue", rules=RULES)
    assert [row.text for row in found] == [cue.text for cue in cues]
    assert [row.first_cue for row in found] == list(range(1, len(cues) + 1))
    assert [row.last_cue for row in found] == list(range(1, len(cues) + 1))


@quick
@given(FILES | ROLLING)
def test_turns_of_a_cue_give_its_text_again(cues):
    found = segment(cues, rows="turn", rules=RULES)
    for number, (cue, text) in enumerate(zip(cues, without_repeats(cues), strict=True), 1):
        parts = [row.text for row in found if row.first_cue == number]
        assert "\n".join(parts) == (cue.text if text is None else text)


@quick
@given(ROLLING)
def test_what_rolling_captions_lose_is_in_the_cue_before(cues):
    for at, (cue, text) in enumerate(zip(cues, without_repeats(cues), strict=True)):
        kept = (text or "").split("\n") if text else []
        lines = cue.text.split("\n") if cue.text else []
        gone = lines[: len(lines) - len(kept)]
        assert gone + kept == lines
        shown = [earlier.text.split("\n") for earlier in cues[:at] if earlier.text]
        assert not gone or shown[-1][-len(gone) :] == gone


@quick
@given(FILES)
def test_sentences_keep_every_word(cues):
    expected = []
    # Times apart, so that nothing rolls.
    cues = [
        Cue(cue.text, at * 2_000, at * 2_000 + 1_500, cue.speaker, cue.fault)
        for at, cue in enumerate(cues)
    ]
    for turn in segment(cues, rows="turn", rules=RULES):
        text = normalize(turn.text, RULES)
        reject = examine(turn.text, text, RULES)
        if not turn.reject and not (reject and reject[0] in NOTHING_TO_TRANSLATE):
            expected.append(text)
    found = [row for row in segment(cues, rows="sentence", rules=RULES) if not row.reject]
    assert total([row.text for row in found]) == total(expected)
    for row in found:
        assert row.text == row.text.strip()
        spans_cues = row.last_cue > row.first_cue
        assert not spans_cues or len(row.text) <= segments.MAX_SENTENCE_CHARACTERS


@quick
@given(st.lists(PIECES, max_size=30).map("".join) | st.text())
def test_sentences_are_the_whole_text(text):
    spans = sentence_spans(text)
    assert [word for start, end in spans for word in text[start:end].split()] == text.split()
    for start, end in spans:
        assert text[start:end] == text[start:end].strip() != ""
    if len(spans) > 1:
        assert all(any(map(str.isalnum, text[start:end])) for start, end in spans)
