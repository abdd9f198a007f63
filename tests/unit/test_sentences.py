import random
import time

import pytest

from aslbatch.text.sentences import sentence_spans, sentences_across


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "text",
    [
        # One sentence stands between two bars.
        "I left.|She stayed!|Why?|Because",
        "What?!|No way!!|Really...?|Yes.",
        'He said "Go."|Then left.',
        'He said "Go." and left.',
        '"Go!" he said.|"No," she said.',
        "(He left.)|She stayed.|[Then what?]|Nothing.",
        "“Is it?”|‘It is.’|Good.",  # noqa: RUF001
        "Mr. Smith met Dr. J. R. Jones at St. Mary's.|They talked.",
        "He lives in the U.S. and works.|So do I.|John does not.",
        "He came to the U.S.|He liked it.|OK.",
        "We met at 5 p.m. John was late.|At 6 p.m.|We left at 10 a.m. sharp.",
        "Apples, pears, etc. are fruit, e.g. Granny Smith, i.e. sour.|Right.",
        "It is Lakers vs. Celtics.|Watch.",
        "Look at No. 5 on p. 3.|No.|Why?|No. 7 is Fig. 2.",
        "Acme Inc. Chairman Bob Jr. Smith said so.|He works at Acme Inc.|He said so.",
        "I got an A.|She got a Ph.D. Jones did not.|You and I.|We know I. M. Pei.",
        "It costs 3.5 dollars.|It is 5.|7 are left.",
        "1. Wash your hands.|2. Dry them.",
        "Well... I don't know.|Wait...|What?|I was... going.|It costs... 5 dollars.",
        "Well… I’ll go.|Wait…|What?",  # noqa: RUF001
        "...and then he left. ... so it goes.",
        "WELL... I DON'T KNOW.|WAIT...|WHAT?|HE WAS... GOING HOME.|MR. SMITH LEFT.|DR. NO CAME.",
        "hello there.|how are you?|fine, e.g. good... you know, mr. smith.",
        'i said "no." and left',
        "Go!|- No!|- - Yes.",
        "Hello! ... !|Now.",
        "see www.example.com. it works.Yes it does",
        "Iphone sales fell. iPhone sales rose.",
        "♪ I walk.|♪ Home.",
        "no stop at all",
        "Wait a minute.|你好.|Да.",
        "Hi .|There .",
    ],
)
def test_sentences_are_found(text):
    assert split(text.replace("|", " ")) == text.split("|")


def test_text_without_words_is_one_sentence_and_white_space_none():
    assert split("... ! ? ...") == ["... ! ? ..."]
    assert split(" \n\t") == []
    assert split("") == []
    assert split("  One.\n\n Two.\t") == ["One.", "Two."]


def test_sentences_span_texts():
    texts = ["I went", "home. She", "stayed. Yes. No", "way.", "Mr.", "Smith left."]
    assert sentences_across(texts, max_characters=100, max_texts=9) == [
        ("I went home.", 0, 1),
        ("She stayed.", 1, 2),
        ("Yes.", 2, 2),
        ("No way.", 2, 3),
        ("Mr. Smith left.", 4, 5),
    ]


def test_endless_sentence_is_cut_between_texts():
    texts = ["one two"] * 5 + ["a" * 40, "b", "at. D", "e"]
    assert sentences_across(texts, max_characters=16, max_texts=9) == [
        ("one two one two", 0, 1),
        ("one two one two", 2, 3),
        ("one two", 4, 4),
        ("a" * 40, 5, 5),
        ("b at.", 6, 7),
        ("D e", 7, 8),
    ]
    assert [last for *_, last in sentences_across(["a"] * 8, max_characters=99, max_texts=3)] == [
        *(2, 5, 7)
    ]


def test_no_texts_have_no_sentences():
    assert sentences_across([], max_characters=1, max_texts=1) == []


@pytest.mark.parametrize(
    "piece", ["!", "! ", ".", ". ", "a. ", "A. ", '." ', "(", "\u2026 ", "a", " ", "I... ", "Mr. "]
)
def test_megabyte_takes_linear_time(piece):
    started = time.process_time()
    for text in (piece * (500_000 // len(piece)), "A" + piece * (500_000 // len(piece)) + "B"):
        sentence_spans(text)
        sentences_across(text.split() or ["a"], max_characters=300, max_texts=24)
    # Quadratic time would be minutes at the least.
    assert time.process_time() - started < 20


def test_many_texts_keep_their_words():
    chance = random.Random(0)
    texts = [" ".join(chance.choices(["a.", "B", "C!", "...", "x"], k=5)) for _ in range(2_000)]
    found = sentences_across(texts, max_characters=40, max_texts=3)
    assert " ".join(text for text, *_ in found) == " ".join(texts)
    for text, first, last in found:
        assert text in " ".join(texts[first : last + 1])
        assert last - first < 3
        assert len(text) <= 40
