import random
import re
from itertools import islice

import pyarrow.parquet as pq
import pytest

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.corpus import SampleLines, write_corpus
from aslbatch.training.demo.grammar import Grammar
from aslbatch.training.demo.inflection import gerund, plural, verb, with_article
from aslbatch.training.demo.probes import known_words, unknown_words
from aslbatch.training.demo.salad import Salad
from aslbatch.training.demo.stream import PairStream, is_held_out
from aslbatch.training.demo.words import InventedWords

SIGN = re.compile(r"[#A-ZÀ-ÖØ-Þ0-9]")


def drawn(draw, count=2000):
    return [draw() for _ in range(count)]


def test_the_same_seed_gives_the_same_pairs_and_another_seed_others():
    first, second, other = PairStream(5), PairStream(5), PairStream(6)
    pairs = drawn(first.forward, 300)
    assert pairs == drawn(second.forward, 300)
    assert pairs != drawn(other.forward, 300)


@pytest.mark.parametrize("draw", ["forward", "backward"])
def test_every_pair_has_text_and_a_gloss_of_signs(draw):
    for english, gloss in drawn(getattr(PairStream(1), draw)):
        assert english.strip()
        assert gloss == " ".join(gloss.split()) != ""
        for sign in gloss.split():
            assert SIGN.match(sign), (english, gloss)
            assert sign == sign.upper(), (english, gloss)


def test_canonical_english_decides_its_gloss():
    glosses = {}
    for english, gloss in drawn(Grammar(random.Random(2)).sentence, 20_000):
        assert glosses.setdefault(english, gloss) == gloss


def test_gloss_of_the_canonical_grammar_nearly_decides_its_english():
    english_of = {}
    pairs = set(drawn(Grammar(random.Random(3)).sentence, 20_000))
    for english, gloss in pairs:
        english_of.setdefault(gloss, set()).add(english)
    assert len(pairs) - len(english_of) < 0.01 * len(pairs)


def test_articles_and_points_never_reach_the_gloss_as_words():
    for _, gloss in drawn(Grammar(random.Random(4), varied=True).sentence):
        assert not {"THE", "A", "AN", "IS", "I", "HE", "HIM"} & set(gloss.split())


def test_invented_words_stand_in_the_gloss_letter_by_letter():
    known = PairStream(0).known_words()
    grammar = Grammar(random.Random(8), invented_rate=0.5)
    found = 0
    for english, gloss in drawn(grammar.sentence):
        signs = {sign.lstrip("#").removesuffix("++") for sign in gloss.split()}
        for word in unknown_words(english, known):
            assert word.upper() in signs, (english, gloss)
            found += 1
    assert found > 1000


def test_salad_spells_names_and_drops_articles():
    lines = drawn(Salad(random.Random(9)).line)
    assert any("#" in gloss for _, gloss in lines)
    assert not any("THE" in gloss.split() for _, gloss in lines)


def test_held_out_sentences_are_distinct_and_of_the_reserved_twentieth():
    held = [pair.english for pair in PairStream(11).held_out(200)]
    assert len(set(held)) == 200
    assert all(map(is_held_out, held))


@pytest.mark.parametrize(("draw", "share"), [("backward", 0.01), ("forward", 0.025)])
def test_training_draws_no_sentence_of_the_reserved_twentieth(draw, share):
    """What remains are joined lines, whose checksum is one in twenty by chance."""
    pairs = drawn(getattr(PairStream(11), draw), 4000)
    assert sum(is_held_out(pair.english) for pair in pairs) < share * len(pairs)


def test_held_out_does_not_depend_on_case_or_marks():
    held = next(text for i in range(1000) if is_held_out(text := f"I see {i} dogs."))
    assert is_held_out(held.upper().replace(".", "!"))


def test_lines_reach_from_one_word_to_sixty():
    lengths = [len(pair.english.split()) for pair in drawn(PairStream(12).forward, 6000)]
    assert min(lengths) == 1
    assert max(lengths) >= 40


@pytest.mark.parametrize(
    ("base", "forms"),
    [
        ("stop", ("stop", "stops", "stopped", "stopped", "stopping", "STOP")),
        ("cry", ("cry", "cries", "cried", "cried", "crying", "CRY")),
        ("lie", ("lie", "lies", "lied", "lied", "lying", "LIE")),
        ("take", ("take", "takes", "took", "taken", "taking", "TAKE")),
        (
            "look for",
            ("look for", "looks for", "looked for", "looked for", "looking for", "LOOK-FOR"),
        ),
    ],
)
def test_verb_forms(base, forms):
    assert tuple(verb(base)) == forms


def test_plurals_and_articles():
    assert [plural(noun) for noun in ("box", "baby", "key", "knife")] == [
        "boxes",
        "babies",
        "keys",
        "knives",
    ]
    assert [with_article(noun) for noun in ("egg", "hour", "uniform", "cup")] == [
        "an egg",
        "an hour",
        "a uniform",
        "a cup",
    ]
    assert gerund("see") == "seeing"


def test_lexicon_has_no_word_twice_in_a_class():
    for words in (
        lexicon.PERSONS,
        lexicon.ANIMALS,
        lexicon.THINGS,
        lexicon.PLACES,
        lexicon.NAMES,
        lexicon.TRANSITIVE,
        lexicon.INTRANSITIVE,
        lexicon.PHYSICAL,
        lexicon.FEELINGS,
    ):
        assert len(words) == len(set(words))


def test_invented_words_are_new_and_many():
    words = InventedWords(random.Random(1))
    drawn_words = [words.word() for _ in range(2000)]
    assert len(set(drawn_words)) > 1600
    assert all(word.isalpha() and word.islower() for word in drawn_words)


def test_unknown_words_leave_out_contractions_and_known_words():
    known = known_words(["I see the dog"])
    assert unknown_words("I don't see Zarn's dog or Blick", known) == ["or", "Blick"]


def test_sample_lines_are_seeded_and_mostly_clean():
    lines = SampleLines(3).lines(1500)
    assert lines == SampleLines(3).lines(1500)
    bare = [re.sub(r"<[^>]*>|\{[^}]*\}", "", line) for line in lines]
    empty = sum(not any(char.isalpha() for char in line) for line in bare)
    assert 0.015 <= empty / len(lines) <= 0.035
    assert len(set(lines)) < len(lines)
    assert max(len(line.split()) for line in lines) > 300


def test_written_corpus_has_all_files_and_nested_columns(tmp_path):
    table_path, jsonl_path, text_path = write_corpus(tmp_path, seed=13)
    table = pq.read_table(table_path)
    assert table.num_rows == 1500
    assert str(table.schema.field("cue").type) == "struct<start_ms: int64, end_ms: int64>"
    assert all(end["start_ms"] < end["end_ms"] for end in islice(table["cue"].to_pylist(), 50))
    assert len(jsonl_path.read_text(encoding="utf-8").splitlines()) == 1000
    assert len(text_path.read_text(encoding="utf-8").split("\n")) == 801
