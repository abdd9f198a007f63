import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslbatch.models.tokenizer import Tokenizer
from aslbatch.training.demo.initialization import mirrored_embeddings
from aslbatch.training.demo.stream import PairStream
from aslbatch.training.demo.vocabulary import ACCENTED, build_tokenizer, learn_pieces

LETTERS = "abcdefghijklmnopqrstuvwxyz" + ACCENTED
WORDS = st.text(alphabet=LETTERS, min_size=1, max_size=14)


@pytest.fixture(scope="module")
def pieces():
    return learn_pieces(PairStream(1).texts(1500), ["IX-1", "POSS-1", "LAST-WEEK"], 400)


@pytest.fixture(scope="module")
def tokenizer(pieces):
    return build_tokenizer(pieces)


@settings(deadline=None)
@given(WORDS)
def test_all_cases_of_a_word_are_cut_at_the_same_places(tokenizer, word):
    lower = tokenizer.tokenize(word)
    title = tokenizer.tokenize(word[0].upper() + word[1:])
    upper = tokenizer.tokenize(word.upper())
    spelled = tokenizer.tokenize("#" + word.upper())
    assert [piece.lower() for piece in title] == lower
    assert upper == [piece.upper() for piece in lower]
    assert spelled == ["▁#" + upper[0][1:], *upper[1:]]
    assert tokenizer.unk_token not in lower


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5))
def test_words_come_back_as_they_were(tokenizer, words):
    stateless = Tokenizer(tokenizer)
    texts = [" ".join(words), "#" + " #".join(words).upper()]
    rows = [row.tokens for row in stateless.encode(texts, "en_XX", 512)]
    assert stateless.decode(rows) == texts


@pytest.mark.parametrize(
    "text",
    [
        "I can't, won't and don't!",
        "Wait... she's 30 years old?",
        'He said: "at 9:45" (maybe) - 50% off',
        "IX-1 NOT SEE FINISH DOG++ LAST-WEEK TIME 7:30 #ZARN-OK",
        "McDonald's e-mail: a@b.c",
    ],
)
def test_marks_and_digits_come_back_as_they_were(tokenizer, text):
    stateless = Tokenizer(tokenizer)
    row = stateless.encode([text], "en_XX", 128)[0].tokens
    assert tokenizer.unk_token_id not in row
    assert stateless.decode([row]) == [text]


def test_points_are_one_token(tokenizer):
    assert tokenizer.tokenize("IX-1 LAST-WEEK") == ["▁IX-1", "▁LAST-WEEK"]


def test_special_tokens_stand_where_mbart_expects_them(tokenizer, tmp_path):
    ids = tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"])
    assert ids == [0, 1, 2, 3]
    tokenizer.save_pretrained(tmp_path)
    reloaded = Tokenizer.load(tmp_path)
    assert len(reloaded) == len(tokenizer)
    assert reloaded.language_id("asl_GL") == len(tokenizer) - 1
    row = reloaded.encode(["Hello."], "asl_GL", 128)[0].tokens
    assert row[0] == len(tokenizer) - 1
    assert row[-1] == 2


def test_no_piece_stands_twice(pieces, tokenizer):
    assert len({piece.text for piece in pieces}) == len(pieces)
    assert len(tokenizer.get_vocab()) == len(tokenizer)


def test_pieces_of_one_root_start_as_neighbors(pieces, tokenizer):
    weight = mirrored_embeddings(tokenizer, pieces, 64, seed=1)
    assert weight.shape == (len(tokenizer), 64)
    lower, upper, other = (
        weight[tokenizer.convert_tokens_to_ids(piece)] for piece in ("▁dog", "▁#DOG", "▁cat")
    )

    def cosine(a, b):
        return float(a @ b / (a.norm() * b.norm()))

    assert cosine(lower, upper) > 0.4 > abs(cosine(upper, other))
    assert float(weight[1].abs().sum()) == 0.0
