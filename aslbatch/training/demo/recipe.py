"""The recipe of the demo model: its vocabulary, what it starts from, and its training pairs."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from aslbatch.training.demo.grammar import Pair
from aslbatch.training.demo.initialization import mirrored_embeddings
from aslbatch.training.demo.stream import PairStream
from aslbatch.training.demo.vocabulary import Piece, build_tokenizer, learn_pieces
from aslbatch.training.new_model import new_model
from aslbatch.training.saving import save_checkpoint

_VOCABULARY_LINES = 15_000
_LOWER_PIECES = 850
_COMPOUND_SIGN = re.compile(r"(?<!\S)[A-Z]+(?:[-:][A-Z0-9]+)+(?!\S)")


def write_start(out: Path, *, seed: int, d_model: int = 192) -> None:
    """Write the checkpoint that the demo model is trained from.

    Args:
        out: The checkpoint's folder.
        seed: Decides vocabulary and weights.
        d_model: Width of the model.
    """
    pieces = vocabulary(seed)
    tokenizer = build_tokenizer(pieces)
    embeddings = mirrored_embeddings(tokenizer, pieces, d_model, seed)
    model = new_model(len(tokenizer), d_model=d_model, seed=seed, embeddings=embeddings)
    save_checkpoint(model, tokenizer, out)


def vocabulary(seed: int) -> list[Piece]:
    """Learn the pieces from the training stream's own first lines."""
    texts = list(PairStream(seed).texts(_VOCABULARY_LINES))
    counts = Counter(sign for text in texts for sign in _COMPOUND_SIGN.findall(text))
    signs = [sign for sign, count in counts.items() if count >= 10]
    return learn_pieces(texts, signs, _LOWER_PIECES)


def training_pairs(count: int, *, seed: int, forward: bool) -> Iterator[Pair]:
    """Yield training pairs, English and gloss, of the mixture for one direction.

    Args:
        count: How many.
        seed: Decides them.
        forward: For English to gloss, which sees any wording; gloss to English sees canonical
            sentences, since many wordings have one gloss.
    """
    stream = PairStream(seed + (1 if forward else 2))
    draw = stream.forward if forward else stream.backward
    return (draw() for _ in range(count))
