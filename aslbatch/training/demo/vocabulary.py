# ruff: noqa: SIM905  a word list reads better as text than as a list of strings
"""The vocabulary of the demo model: every piece exists in all cases, so copying is one to one.

``Dolores``, ``dolores``, ``DOLORES`` and ``#DOLORES`` are cut at the same places, because each
piece of a unigram model trained on lower-case text is mirrored with the same score: ``▁do`` also
as ``▁Do``, ``▁DO`` and ``▁#DO``, an inner ``lor`` also as ``LOR``. To spell an unknown word the
model then has to map one token to one token.
"""

import re
import string
from collections.abc import Iterable
from typing import NamedTuple

from transformers import MBart50Tokenizer

from aslbatch.training.vocabulary import learn_unigrams, tokenizer_of

ACCENTED = "áàâäçéèêíïñóöü"
_START = "▁"
_PUNCTUATION = '.,!?:;()"-+/&%$…\u2013\u2014[]*\u2019“”_=@<>~^{}|`\\'
_CONTRACTIONS = """don't doesn't didn't isn't aren't wasn't weren't can't won't couldn't shouldn't
wouldn't i'm you're he's she's it's we're they're let's where's what's who's how's there's i'll
you'll he'll she'll we'll they'll i've you've we've they've i'd that's""".split()
_RARE = -16.0
_LAST_RESORT = -40.0


class Piece(NamedTuple):
    """A piece of the vocabulary.

    Attributes:
        text: The piece, ``▁`` for a word's beginning.
        score: Its log-probability in the unigram model.
        root: The lower-case piece that it mirrors.
        case: ``lower``, ``title``, ``upper``, ``spelled`` (with ``#``) or ``sign``.
    """

    text: str
    score: float
    root: str
    case: str


def learn_pieces(texts: Iterable[str], signs: Iterable[str], size: int) -> list[Piece]:
    """Train a unigram model on lower-cased text and mirror its pieces.

    Args:
        texts: Lines of both languages.
        signs: Glosses that become one piece each, such as ``IX-1``; they are not mirrored.
        size: Pieces of the lower-case model before mirroring.

    Returns:
        The pieces in a fixed order, without special tokens.
    """
    learned = dict(learn_unigrams((_letters_only(text) for text in texts), size))
    lower = {piece: score for piece, score in learned.items() if _is_plain(piece)}
    for letter in string.ascii_lowercase + ACCENTED:
        lower.setdefault(letter, _RARE)
        lower.setdefault(_START + letter, _RARE)
    for word in _CONTRACTIONS:
        lower.setdefault(_START + word, -7.0)
    pieces = [mirrored for piece, score in lower.items() for mirrored in _mirror(piece, score)]
    pieces += [Piece(_START + sign, -4.0, sign, "sign") for sign in sorted(set(signs))]
    pieces.append(Piece("++", -4.0, "++", "sign"))
    for char in string.digits + _PUNCTUATION + "'":
        pieces += [Piece(char, -6.0, char, "lower"), Piece(_START + char, -6.0, char, "title")]
    pieces += [Piece(text, _LAST_RESORT, text, "sign") for text in (_START, "#", _START + "#")]
    return list({piece.text: piece for piece in pieces}.values())


def build_tokenizer(pieces: Iterable[Piece]) -> MBart50Tokenizer:
    """Make an mBART-50 tokenizer of the pieces, with the code for gloss added."""
    return tokenizer_of((piece.text, piece.score) for piece in pieces)


def _letters_only(text: str) -> str:
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", re.sub(r"\b(IX|POSS)-\w+", " ", text).lower())
    return " ".join(words)


def _is_plain(piece: str) -> bool:
    return re.fullmatch(r"▁?[a-z]+('[a-z]+)?", piece) is not None


def _mirror(piece: str, score: float) -> list[Piece]:
    if not piece.startswith(_START):
        return [Piece(piece, score, piece, "lower"), Piece(piece.upper(), score, piece, "upper")]
    word = piece[1:]
    return [
        Piece(piece, score, piece, "lower"),
        Piece(_START + word[0].upper() + word[1:], score, piece, "title"),
        Piece(_START + word.upper(), score, piece, "upper"),
        Piece(f"{_START}#{word.upper()}", score, piece, "spelled"),
    ]
