"""The tokenizer's traps, each with the test that would catch it."""

import pytest
from transformers import MBart50Tokenizer

from aslbatch.errors import ModelError
from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(DEMO_FOLDER)


def test_transformers_itself_cannot_load_with_the_added_language():
    """The trap that this module is for; should it vanish, so can part of the module."""
    with pytest.raises(KeyError):
        MBart50Tokenizer.from_pretrained(DEMO_FOLDER, src_lang="asl_GL", local_files_only=True)


@pytest.mark.parametrize("lang", ["en_XX", "asl_GL"])
def test_a_sentence_begins_with_its_language_and_ends_with_the_end_token(tokenizer, lang):
    (encoded,) = tokenizer.encode(["The boy runs."], lang, 128)
    assert encoded.tokens[0] == tokenizer.language_id(lang)
    assert encoded.tokens[-1] == tokenizer.eos_id
    assert not encoded.truncated


def test_encoding_equals_that_of_transformers_where_it_can_encode(tokenizer):
    reference = MBart50Tokenizer.from_pretrained(DEMO_FOLDER, src_lang="en_XX")
    text = "My sister bought 3 red books, didn't she?"
    (encoded,) = tokenizer.encode([text], "en_XX", 128)
    assert encoded.tokens == reference(text)["input_ids"]


def test_surrounding_space_adds_no_token(tokenizer):
    plain, spaced = tokenizer.encode(["The boy runs.", "  The boy runs. "], "en_XX", 128)
    assert plain == spaced


@pytest.mark.parametrize("special", ["</s>", "<s>", "<pad>", "<mask>", "en_XX", "asl_GL", "de_DE"])
def test_special_tokens_in_a_text_do_not_reach_the_model(tokenizer, special):
    (encoded,) = tokenizer.encode([f"The boy {special} runs."], "en_XX", 128)
    inside = encoded.tokens[1:-1]
    assert tokenizer.without_special(inside) == inside
    assert tokenizer.decode([inside])[0].split() == ["The", "boy", "runs."]


def test_a_long_sentence_is_cut_and_says_so(tokenizer):
    long, exact = tokenizer.encode(["a " * 50, "a " * 8], "en_XX", 10)
    assert len(long.tokens) == 10
    assert long.truncated
    assert long.tokens[-1] == tokenizer.eos_id
    assert len(exact.tokens) == 10
    assert not exact.truncated


def test_decoding_drops_language_and_end(tokenizer):
    (encoded,) = tokenizer.encode(["IX-1 LIKE #ANNA"], "asl_GL", 128)
    assert tokenizer.decode([encoded.tokens]) == ["IX-1 LIKE #ANNA"]


def test_an_unknown_language_is_an_error_that_lists_the_known_ones(tokenizer):
    with pytest.raises(ModelError, match=r"no language code 'tlh'; it knows .*en_XX.*asl_GL"):
        tokenizer.encode(["Qapla'"], "tlh", 128)


def test_a_damaged_tokenizer_is_an_error(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="not an mBART-50 tokenizer"):
        Tokenizer.load(tmp_path)
