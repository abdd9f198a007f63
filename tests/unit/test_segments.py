"""Cues, turns and sentences as rows of a subtitle file."""

import time

import pytest

from aslbatch.schema import RejectReason
from aslbatch.shards.formats import segments
from aslbatch.shards.formats.cues import Cue, parse_cues
from aslbatch.shards.formats.segments import Segment, segment
from aslbatch.text.normalize import NormalizeRules, normalize

RULES = NormalizeRules()
GLOSS = NormalizeRules(
    strip_markup=False,
    strip_sounds=False,
    strip_music=False,
    strip_speakers=False,
    strip_dashes=False,
)


def cues_of(*texts: str, lasts_ms: int = 2_000, pause_ms: int = 500) -> list[Cue]:
    step = lasts_ms + pause_ms
    return [Cue(text, at * step, at * step + lasts_ms) for at, text in enumerate(texts)]


def turns(cues: list[Cue], rules: NormalizeRules = RULES) -> list[Segment]:
    return segment(cues, rows="turn", rules=rules)


def texts_of(cues: list[Cue], rows: str = "turn", rules: NormalizeRules = RULES) -> list[str]:
    return [row.text for row in segment(cues, rows=rows, rules=rules) if not row.reject]


def reasons(rows: list[Segment]) -> list[RejectReason | None]:
    return [row.reject and row.reject[0] for row in rows]


def test_cue_stays_as_it_stands():
    cues = [Cue("- A\n- <i>B</i>", 5, 1, "MAN"), Cue("", None, 7), Cue("", None, None, None, "bad")]
    assert segment(cues, rows="cue", rules=RULES) == [
        Segment("- A\n- <i>B</i>", 1, 1, 5, 1, "MAN"),
        Segment("", 2, 2, None, 7, None),
        Segment("", 3, 3, None, None, None, (RejectReason.INVALID_ROW, "bad")),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- Hi.\n- Hello.", ["- Hi.", "- Hello."]),
        ("-Hi.\n-Hello\nthere.", ["-Hi.", "-Hello\nthere."]),
        ("\u2013 Hi.\n\u2014 Hello.", ["\u2013 Hi.", "\u2014 Hello."]),
        ("<i>- Hi.</i>\n{\\an8}-<b>No</b>", ["<i>- Hi.</i>", "{\\an8}-<b>No</b>"]),
        ("-[SIGHS] Hi.\n-...and so?\n-(LAUGHS)", ["-[SIGHS] Hi.", "-...and so?", "-(LAUGHS)"]),
        ("Wait.\n- Why?\n- Go!", ["Wait.", "- Why?", "- Go!"]),
        ("\n- Why?\n\n- Go!\n", ["\n- Why?\n", "- Go!\n"]),
        (">> Hi.\n>> Hello.", [">> Hi.", ">> Hello."]),
        ("JOHN: Hi.\nMARY: Yo,\nyou.", ["JOHN: Hi.", "MARY: Yo,\nyou."]),
        ("<v Mary>Hi.\n<v Bob>Yo.", ["<v Mary>Hi.", "<v Bob>Yo."]),
        ("How are you?\n- Fine.", None),
        ("It fell\n-5 degrees\n-6 degrees", None),
        ("I was\n--and then\n--so", None),
        ("It was\n\u2014 and then\n\u2014 so", None),
        ("- Hi. - Hello.", None),
        ("well-known\nup-to-date", None),
    ],
)
def test_dialogue_is_split_into_turns(text, expected):
    assert [row.text for row in turns([Cue(text, 0, 1)])] == (expected or [text])


def test_turns_of_a_cue_name_their_own_speakers_or_none():
    rows = turns([Cue("- MARY: Hi.\n- Yes.\n- BOB: No.", 0, 9, "MARY"), Cue("So.", 9, 12, "ANN")])
    assert [
        (row.first_cue, row.last_cue, row.start_ms, row.end_ms, row.speaker) for row in rows
    ] == [
        (1, 1, 0, 9, "MARY"),
        (1, 1, 0, 9, None),
        (1, 1, 0, 9, "BOB"),
        (2, 2, 9, 12, "ANN"),
    ]


def test_gloss_is_not_split():
    for text in ("- NEG\n- WANT", "CL: CAR\nIX: GO", ">> A\n>> B"):
        assert texts_of([Cue(text, 0, 1)], rules=GLOSS) == [text]


def test_roll_up_captions_show_each_line_once():
    cues = cues_of("ONE", "ONE\nTWO", "<i>TWO</i>\nTHREE", "THREE\nFOUR", "FOUR\n FIVE", pause_ms=0)
    assert texts_of(cues) == ["ONE", "TWO", "THREE", "FOUR", " FIVE"]


def test_three_rows_roll_up_too():
    cues = cues_of("A", "A\nB", "A\nB\nC", "B\nC\nD", "D\nE\nF", pause_ms=100)
    assert texts_of(cues) == ["A", "B", "C", "D", "E\nF"]


AUTOMATIC = """WEBVTT
Kind: captions

00:00:00.000 --> 00:00:02.000 align:start position:0%
 
so<00:00:00.500><c> here</c><00:00:01.000><c> we</c>

00:00:02.000 --> 00:00:02.010 align:start position:0%
so here we
 

00:00:02.010 --> 00:00:04.000 align:start position:0%
so here we
are<00:00:02.500><c> today</c>

00:00:04.000 --> 00:00:04.010 align:start position:0%
are today
 

00:00:04.010 --> 00:00:06.000 align:start position:0%
are today
with<00:00:05.000><c> friends</c>

00:00:06.000 --> 00:00:06.010 align:start position:0%
with friends
"""  # noqa: W293


def test_automatic_captions_show_each_line_once():
    cues = parse_cues(AUTOMATIC, "vtt")
    assert cues is not None
    rows = turns(cues)
    assert [normalize(row.text, RULES) for row in rows if not row.reject] == [
        *("so here we", "are today", "with friends")
    ]
    repeated = RejectReason.REPEATED
    assert reasons(rows) == [None, repeated, None, repeated, None, repeated]
    assert rows[1].text == "so here we"
    assert not repeated.is_failure
    sentences = segment(cues, rows="sentence", rules=RULES)
    assert (sentences[0].text, sentences[0].first_cue, sentences[0].last_cue) == (
        *("so here we are today with friends", 1, 5),
    )
    assert (sentences[0].start_ms, sentences[0].end_ms) == (0, 6_000)
    assert reasons(sentences) == [None, repeated, repeated, repeated]
    assert [row.first_cue for row in sentences] == [1, 2, 4, 6]


@pytest.mark.parametrize(
    "texts",
    [
        ("No!", "No!", "No!", "No!", "No!"),
        ("No!\nNo!", "No!\nNo!", "Stop!", "Stop!"),
        ("Go!", "Go!\nNow!", "Who?", "You.", "Me?", "You.", "Yes.", "No."),
        ("\u266a\nla\n\u266a", "\u266a\nlo\n\u266a", "\u266a\nli\n\u266a", "\u266a\nlu\n\u266a"),
    ],
)
def test_files_in_which_lines_recur_do_not_roll(texts):
    cues = cues_of(*texts, pause_ms=0)
    assert texts_of(cues) == list(texts)


@pytest.mark.parametrize(
    "cues",
    [
        cues_of("A", "A\nB", "B\nC", "C\nD", pause_ms=1_000),
        cues_of("A", "A\nB", "B\nC", "C\nD", pause_ms=0)[::-1],
        [Cue(text, None, None) for text in ("A", "A\nB", "B\nC", "C\nD")],
    ],
    ids=["pauses", "backwards", "no times"],
)
def test_lines_repeat_only_without_a_pause(cues):
    assert texts_of(cues) == [cue.text for cue in cues]


def test_speaker_of_a_line_that_is_gone_is_gone():
    texts = ("JOHN: A", "JOHN: A\nB", "B\nMARY: C", "MARY: C\nD")
    cues = [
        Cue(cue.text, cue.start_ms, cue.end_ms, "JOHN" if at < 2 else "MARY" if at > 2 else None)
        for at, cue in enumerate(cues_of(*texts, pause_ms=0))
    ]
    assert [(row.text, row.speaker) for row in turns(cues)] == [
        *(("JOHN: A", "JOHN"), ("B", None), ("MARY: C", "MARY"), ("D", None))
    ]


def test_sentences_go_over_cues():
    cues = cues_of("<i>I went</i>", "home. She\nstayed.", "Yes. No", "", "way.", "Mr.", "Smith.")
    assert segment(cues, rows="sentence", rules=RULES) == [
        Segment("I went home.", 1, 2, 0, 4_500, None),
        Segment("She stayed.", 2, 2, 2_500, 4_500, None),
        Segment("Yes.", 3, 3, 5_000, 7_000, None),
        Segment("No way.", 3, 5, 5_000, 12_000, None),
        Segment("", 4, 4, 7_500, 9_500, None, (RejectReason.EMPTY, "the text is empty")),
        Segment("Mr. Smith.", 6, 7, 12_500, 17_000, None),
    ]


def test_sounds_do_not_break_a_sentence():
    rows = segment(
        cues_of("I was", "[SIGHS]", "\u266a", "gone.", pause_ms=-500), rows="sentence", rules=RULES
    )
    assert [(row.text, row.first_cue, row.last_cue) for row in rows] == [
        *(("I was gone.", 1, 4), ("[SIGHS]", 2, 2), ("\u266a", 3, 3))
    ]
    assert reasons(rows) == [None, RejectReason.NO_WORDS, RejectReason.NO_WORDS]


@pytest.mark.parametrize(
    "second",
    [
        Cue("- two", 2_500, 3_000),
        Cue(">> two", 2_500, 3_000),
        Cue("MARY: two", 2_500, 3_000, "MARY"),
        Cue("two", 2_000 + segments.MAX_PAUSE_MS + 1, 9_000),
        Cue("two", 500, 3_000),
    ],
    ids=["dash", "chevrons", "speaker", "pause", "backwards"],
)
def test_sentence_ends_where_another_begins(second):
    assert texts_of([Cue("one", 1_000, 2_000), second], "sentence") == ["one", "two"]


@pytest.mark.parametrize(
    "second",
    [
        Cue("two", 2_000 + segments.MAX_PAUSE_MS, 9_000),
        Cue("two", None, None),
        Cue("two", 1_000, 2_000, "JOHN"),
        Cue("--two", 2_500, 3_000),
    ],
)
def test_sentence_goes_on(second):
    rows = segment([Cue("one", 1_000, 2_000, "JOHN"), second], rows="sentence", rules=RULES)
    assert [(row.text, row.last_cue, row.speaker) for row in rows] == [
        (f"one {normalize(second.text, RULES)}", 2, "JOHN")
    ]


def test_speaker_is_that_of_the_cue_that_a_sentence_begins_in():
    cues = [Cue("MARY: Go. I", 0, 9, "MARY"), Cue("stay. Why?", 9, 20)]
    rows = segment(cues, rows="sentence", rules=RULES)
    assert [(row.text, row.speaker) for row in rows] == [
        *(("Go.", "MARY"), ("I stay.", "MARY"), ("Why?", None))
    ]


def test_cue_that_cannot_be_read_ends_a_sentence():
    cues = [Cue("one", 0, 9), Cue("", None, None, fault="bad"), Cue("two", 9, 20)]
    rows = segment(cues, rows="sentence", rules=RULES)
    assert [(row.text, row.reject) for row in rows] == [
        *(("one", None), ("", (RejectReason.INVALID_ROW, "bad")), ("two", None))
    ]


def test_captions_without_punctuation_do_not_become_one_row():
    rows = segment(cues_of(*["word " * 12] * 50), rows="sentence", rules=RULES)
    assert all(len(row.text) <= segments.MAX_SENTENCE_CHARACTERS for row in rows)
    assert all(row.last_cue - row.first_cue == 4 for row in rows)
    letters = segment(cues_of(*"a" * 100), rows="sentence", rules=RULES)
    assert [row.last_cue for row in letters] == [24, 48, 72, 96, 100]


def test_long_cue_becomes_sentences_that_are_not_too_long():
    rules = NormalizeRules(max_characters=20)
    assert texts_of([Cue("This is one. This is two. " * 2, 0, 9)], "sentence", rules) == [
        *("This is one.", "This is two.") * 2
    ]


@pytest.mark.parametrize("rows", ["cue", "turn", "sentence"])
def test_file_without_cues_has_no_rows(rows):
    assert segment([], rows=rows, rules=RULES) == []


@pytest.mark.parametrize(
    "piece",
    ["-", "- ", "\n- ", "\n", "A\n", "<", "{", "<i>", "\u266a\n", ">>", "A: ", "\nAB: a", "."],
)
@pytest.mark.parametrize("count", [1, 2_000])
def test_much_text_takes_linear_time(piece, count):
    started = time.process_time()
    text = "A" + piece * (200_000 // len(piece) // count)
    for rows in ("turn", "sentence"):
        segment(cues_of(*[text] * count, pause_ms=0), rows=rows, rules=RULES)
    # Quadratic time would be minutes at the least.
    assert time.process_time() - started < 20
