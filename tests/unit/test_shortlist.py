"""Which tokens a shortlist keeps."""

import pytest
from transformers import MBart50Tokenizer

from aslbatch.errors import ModelError
from aslbatch.models.shortlist import Shortlist, make_shortlist
from aslbatch.models.tokenizer import Tokenizer

PIECES = [
    "▁the",
    "▁THE",
    "THE",
    "é",
    "▁Straße",
    "ñ",
    "42",
    "▁№",
    "…",
    "\u0301",
    "▁кот",
    "к",
    "猫",
    "▁ψ",
    "٤",
    "\uff21\uff22",
]


@pytest.fixture(scope="module")
def tokenizer():
    letters = [chr(code) for code in range(33, 127)]
    vocab = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("▁", -5.0)]
    vocab += [(letter, -9.0) for letter in letters] + [(piece, -3.0) for piece in PIECES]
    backend = MBart50Tokenizer(vocab=vocab)
    backend.add_special_tokens(
        {"bos_token": "<s>", "extra_special_tokens": ["asl_GL"]},
        replace_extra_special_tokens=False,
    )
    return Tokenizer(backend)


def kept(shortlist, tokenizer):
    return {piece for piece in PIECES if tokenizer.pieces.index(piece) in shortlist.ids}


def test_latin_keeps_letters_digits_and_signs_of_that_script(tokenizer):
    shortlist = make_shortlist("latin", tokenizer, "asl_GL")
    dropped = {"▁кот", "к", "猫", "▁ψ", "٤", "\uff21\uff22"}
    assert kept(shortlist, tokenizer) == set(PIECES) - dropped
    assert shortlist.name == "latin"


def test_ascii_keeps_less(tokenizer):
    shortlist = make_shortlist("ascii", tokenizer, "asl_GL")
    assert kept(shortlist, tokenizer) == {"▁the", "▁THE", "THE", "42"}


@pytest.mark.parametrize("wanted", ["latin", "ascii"])
def test_special_tokens_and_languages_are_always_kept(tokenizer, wanted):
    ids = set(make_shortlist(wanted, tokenizer, "asl_GL").ids)
    assert tokenizer.special_ids <= ids
    assert {tokenizer.language_id("asl_GL"), tokenizer.eos_id} <= ids


def test_auto_goes_by_the_target(tokenizer):
    latin = make_shortlist("latin", tokenizer, "asl_GL")
    assert make_shortlist("auto", tokenizer, "asl_GL") == latin
    assert make_shortlist("auto", tokenizer, "en_XX") == latin
    assert make_shortlist("auto", tokenizer, "ru_RU") is None
    assert make_shortlist("off", tokenizer, "asl_GL") is None


def test_a_text_gives_its_tokens_in_all_cases_and_short_pieces(tokenizer, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("the\nStraße </s>\n", encoding="utf-8")
    shortlist = make_shortlist(str(path), tokenizer, "asl_GL")
    assert {"▁the", "▁THE", "▁Straße", "é", "42"} <= kept(shortlist, tokenizer)
    assert not {"▁кот", "猫"} & kept(shortlist, tokenizer)


def test_a_text_in_another_script_keeps_the_letters_of_that_script(tokenizer, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("кот\n", encoding="utf-8")
    shortlist = make_shortlist(str(path), tokenizer, "ru_RU")
    assert {"▁кот", "к", "42"} <= kept(shortlist, tokenizer)
    assert not {"▁the", "猫", "é"} & kept(shortlist, tokenizer)


def test_a_list_of_everything_is_none(tokenizer, monkeypatch):
    monkeypatch.setattr("aslbatch.models.shortlist._is_written_in", lambda *_: True)
    assert make_shortlist("latin", tokenizer, "asl_GL") is None


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(tokenizer, tmp_path, content):
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.shortlist '.*words\.txt': cannot be read"):
        make_shortlist(str(path), tokenizer, "asl_GL")


def test_the_signature_is_that_of_the_tokens():
    assert Shortlist("latin", (1, 2)).signature == Shortlist("latin", (1, 2)).signature
    assert Shortlist("latin", (1, 2)).signature != Shortlist("latin", (1, 3)).signature
