"""What a teacher is told, and which examples it sees."""

import json
import pickle
from dataclasses import replace

import pytest

from aslbatch.labeling.prompt import INSTRUCTIONS, Example, Prompt
from aslbatch.provenance.hashing import source_hash

EXAMPLES = (
    Example("e0", "The dog runs.", "DOG RUN"),
    Example("e1", "My sister bakes a cake.", "POSS SISTER BAKE CAKE"),
    Example("e2", "A cake is on the table.", "TABLE cl:cake-on"),
    Example("e3", "The dog is on the table.", "TABLE cl:dog-on"),
    Example("e4", "Zürich is far.", "#ZÜRICH FAR"),
)


def prompt(selection="first", count=2, seed=0, examples=EXAMPLES, instructions=INSTRUCTIONS):
    return Prompt(instructions, examples, selection, count, seed)


def ids(made, text):
    return made.ask("r1", source_hash(text), text)[1]


@pytest.mark.parametrize(
    "text", ['Say "go" \\ now', "two\nlines", "é \u2028 \u2029 \x85 ü", '"}, {"id": "r2"', ""]
)
def test_a_message_is_one_line_that_says_whose_it_is(text):
    ask, _ = prompt().ask("r1", source_hash(text), text)
    assert (ask.key, ask.source_hash) == ("r1", source_hash(text))
    assert len(ask.user.splitlines()) == 1
    message = json.loads(ask.user)
    assert list(message.items()) == [
        ("id", "r1"),
        ("source_hash", source_hash(text)),
        ("text", text),
    ]


def test_text_stays_readable():
    assert "Zürich" in prompt().ask("r1", "0", "Zürich")[0].user


def test_examples_are_shown_as_messages_with_their_answers():
    ask, shown = prompt(count=2).ask("r1", "0", "Hello.")
    assert shown == ("e0", "e1")
    assert ask.system.startswith(INSTRUCTIONS)
    lines = ask.system[len(INSTRUCTIONS) :].splitlines()
    messages = [json.loads(line[9:]) for line in lines if line.startswith("Message: ")]
    answers = [json.loads(line[8:]) for line in lines if line.startswith("Answer: ")]
    for example, message, answer in zip(EXAMPLES, messages, answers, strict=False):
        echo = {"id": example.id, "source_hash": source_hash(example.source)}
        assert message == {**echo, "text": example.source}
        assert answer == {**echo, "gloss": example.gloss}
    assert len(messages) == len(answers) == 2


def test_without_examples_there_are_only_instructions():
    assert prompt(count=0).ask("r1", "0", "Hello.")[0].system == INSTRUCTIONS


def test_random_examples_are_the_same_for_all_rows_and_others_by_another_seed():
    drawn = {seed: ids(prompt("random", seed=seed), "Hello.") for seed in range(20)}
    assert len(set(drawn.values())) > 5
    assert all(ids(prompt("random", seed=seed), "Bye.") == drawn[seed] for seed in drawn)


def test_the_draw_does_not_change_between_versions():
    assert ids(prompt("random", count=5, seed=7), "Hello.") == ("e2", "e3", "e1", "e0", "e4")


def test_nearest_examples_share_rare_words_and_the_most_alike_is_last():
    nearest = prompt("nearest")
    assert ids(nearest, "I want to bake a cake for my sister.") == ("e2", "e1")
    assert ids(nearest, "The DOG sleeps on the table!") == ("e2", "e3")
    assert ids(nearest, "Is it far to ZÜRICH?")[-1] == "e4"


def test_nearest_examples_that_are_as_near_come_in_the_order_of_the_file():
    twins = tuple(Example(f"t{number}", "The same words.", "SAME") for number in range(5))
    assert ids(prompt("nearest", count=3, examples=twins), "Other words.") == ("t2", "t1", "t0")
    assert ids(prompt("nearest", count=3, examples=twins), "Nothing alike") == ("t2", "t1", "t0")


@pytest.mark.parametrize("selection", ["first", "random", "nearest"])
@pytest.mark.parametrize("text", ["The dog runs.", "the dog RUNS", " The  dog\u00a0runs!"])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_an_example_of_the_text_itself_is_never_shown(selection, text, count):
    twin = Example("twin", "THE DOG RUNS", "DOG RUN")
    made = prompt(selection, count, examples=(EXAMPLES[0], twin, *EXAMPLES[1:]))
    ask, shown = made.ask("r1", source_hash(text), text)
    assert {"e0", "twin"}.isdisjoint(shown)
    assert len(set(shown)) == min(count, 4)
    assert "DOG RUN" not in ask.system[len(INSTRUCTIONS) :]


def test_the_hash_covers_all_that_decides_what_is_asked():
    base = prompt(count=1)
    others = [
        prompt(count=2),
        prompt("random", count=1),
        prompt(count=1, seed=1),
        prompt(count=1, instructions="Gloss."),
        prompt(count=1, examples=EXAMPLES[:4]),
        prompt(count=1, examples=EXAMPLES[::-1]),
        prompt(count=1, examples=(*EXAMPLES[:4], replace(EXAMPLES[4], gloss="FAR"))),
    ]
    assert prompt(count=1).sha256 == base.sha256
    assert len({base.sha256, *(other.sha256 for other in others)}) == len(others) + 1


@pytest.mark.parametrize("count", [-1, 6])
def test_no_more_examples_are_shown_than_there_are(count):
    with pytest.raises(ValueError, match="examples cannot be shown"):
        prompt(count=count)


def test_ids_name_one_example():
    with pytest.raises(ValueError, match="same id"):
        prompt(examples=(EXAMPLES[0], EXAMPLES[0]))


@pytest.mark.parametrize("selection", ["first", "random", "nearest"])
def test_a_prompt_travels_between_processes(selection):
    made = prompt(selection)
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert again.ask("r1", "0", "A dog.") == made.ask("r1", "0", "A dog.")
