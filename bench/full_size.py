"""A checkpoint of the full mBART-50 shape with random weights, and lines like those of subtitles.

Speed does not depend on what a model has learned, as long as every system decodes the same number
of tokens. So benchmarks need no download: the shape is the real one, and the rest is made up.

python bench/full_size.py [FOLDER] [--smoke]
"""

import argparse
import random
import shutil
import string
import tempfile
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import numpy as np

from aslbatch.models.cache import cache_folder
from aslbatch.models.shortlist import Shortlist
from aslbatch.models.tokenizer import Tokenizer

_LAYOUT = 1
"""Goes up when a checkpoint is to be made in another way."""
_MARK = "\N{LOWER ONE EIGHTH BLOCK}"
_CJK_START = 0x4E00
_CJK_COUNT = 500
_SEED = 0

# The realigned validation part of How2Sign: words a row, and how often its lines occur.
_ROWS = 1_741
_DISTINCT = 1_516
_TIMES = {2: 214, 3: 4, 4: 1}
_LONGEST = 126
_LENGTHS_AT = [0.0, *(percent / 100 for percent in range(5, 100, 5)), 0.99, 1.0]
_LENGTHS = [1, 3, 5, 6, 8, 9, 10, 11, 12.8, 14, 15, 16, 18, 19, 21, 24, 26, 29, 33, 40, 55, 103]
"""Quantiles; the one at 99 % is set so that the mean is that of the file, 17.7."""
_REPEATED_BELOW = 0.973
"""Repeated lines come from this part of the lengths: their mean is 16.5, as in the file."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how much work a checkpoint is.

    Attributes:
        name: Part of the folder's name.
        vocabulary: All tokens, special ones and language codes included.
        ascii_pieces: Invented ASCII pieces, on top of the single characters.
        d_model: Width.
        layers: Of the encoder, and of the decoder.
        heads: Of attention.
        ffn: Inner width of the feed-forward layers.
    """

    name: str
    vocabulary: int
    ascii_pieces: int
    d_model: int
    layers: int
    heads: int
    ffn: int


FULL = Shape("full", 250_055, 32_000, d_model=1024, layers=12, heads=16, ffn=4096)
SMOKE = Shape("smoke", 3_000, 800, d_model=64, layers=2, heads=4, ffn=128)


def full_size_checkpoint(smoke: bool = False, folder: Path | None = None) -> Path:
    """Return the checkpoint, a tiny one for `smoke`; build it where it is not there yet.

    Args:
        smoke: Whether a tiny shape will do, to try a benchmark out.
        folder: Where checkpoints are kept between benchmarks; the default is the user's cache.
    """
    shape = SMOKE if smoke else FULL
    target = (folder or cache_folder("bench")) / f"{shape.name}-{_LAYOUT}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _build(shape, partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _build(shape: Shape, folder: Path) -> None:
    import torch
    from transformers import MBart50Tokenizer, MBartConfig, MBartForConditionalGeneration

    def tokenizer_of(pieces: list[str]) -> MBart50Tokenizer:
        made = MBart50Tokenizer(vocab=[(piece, -float(len(piece))) for piece in pieces])
        made.add_special_tokens(
            {"bos_token": "<s>", "extra_special_tokens": ["asl_GL"]},
            replace_extra_special_tokens=False,
        )
        return made

    pieces = _pieces(shape)
    # The tokenizer adds language codes and others; how many is its own affair.
    added = len(tokenizer_of(pieces[:100])) - 100
    tokenizer = tokenizer_of(pieces[: shape.vocabulary - added])
    if len(tokenizer) != shape.vocabulary:
        raise ValueError(f"{len(tokenizer)} tokens, expected {shape.vocabulary}")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(_SEED)
    config = MBartConfig(
        vocab_size=shape.vocabulary,
        d_model=shape.d_model,
        encoder_layers=shape.layers,
        decoder_layers=shape.layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.ffn,
        decoder_ffn_dim=shape.ffn,
        activation_function="relu",
        max_position_embeddings=1024,
        scale_embedding=True,
        normalize_before=True,
        normalize_embedding=True,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
        tokenizer_class="MBart50Tokenizer",
    )
    MBartForConditionalGeneration(config).save_pretrained(folder)


def _pieces(shape: Shape) -> list[str]:
    """Return at least as many pieces as the vocabulary has: ASCII first, then CJK."""
    characters = [chr(code) for code in range(33, 127)]
    fixed = ["<unk>", "<s>", "</s>", _MARK, *characters, *(_MARK + char for char in characters)]
    generator = random.Random(_SEED)
    invented: dict[str, None] = {}
    while len(invented) < shape.ascii_pieces:
        letters = generator.choices(string.ascii_lowercase, k=generator.randint(2, 8))
        invented[generator.choice(("", _MARK)) + "".join(letters)] = None
    signs = [chr(_CJK_START + index) for index in range(_CJK_COUNT)]
    pairs = (first + second for first, second in product(signs, signs))
    return [*fixed, *invented, *islice(pairs, shape.vocabulary)]


def subtitle_lines(count: int, seed: int, tokenizer: Tokenizer) -> list[list[int]]:
    """Return lines of tokens whose lengths and repeats follow a file of real subtitles.

    The file is the realigned validation part of How2Sign: 1,741 rows, 1,516 of them distinct.
    A word is one token here. That is conservative: a real word is more than one piece on average,
    and longer lines favor engines that batch well.

    Args:
        count: Lines, repeats included.
        seed: Decides tokens and order.
        tokenizer: The tokenizer of the checkpoint.

    Returns:
        Rows `[en_XX, ..., </s>]` in random order.
    """
    generator = random.Random(seed)
    words = _ascii_ids(tokenizer)
    first, last = tokenizer.language_id("en_XX"), tokenizer.eos_id
    share = count / _ROWS
    extra = [times - 1 for times, lines in _TIMES.items() for _ in range(round(lines * share))]
    distinct = count - sum(extra)
    places = (np.arange(distinct) + 0.5) / distinct
    lengths = np.interp(places, _LENGTHS_AT, _LENGTHS).round().astype(int).tolist()
    lines: dict[tuple[int, ...], None] = {}
    for length in lengths:
        before = len(lines)
        while len(lines) == before:
            drawn = generator.choices(words, k=min(length, _LONGEST))
            lines[first, *drawn, last] = None
    rows = [list(line) for line in lines]
    repeated = np.linspace(0, distinct * _REPEATED_BELOW - 1, len(extra)).astype(int).tolist()
    generator.shuffle(extra)
    for index, times in zip(repeated, extra, strict=True):
        rows += [rows[index]] * times
    generator.shuffle(rows)
    return rows


def sized_shortlist(tokenizer: Tokenizer, size: int) -> Shortlist:
    """Return a shortlist of `size` tokens: special ones, ASCII pieces, then others as needed.

    Only its size matters for speed.
    """
    order = [*sorted(tokenizer.special_ids), *_ascii_ids(tokenizer), *range(len(tokenizer))]
    kept = islice(dict.fromkeys(order), size)
    return Shortlist("ascii", tuple(sorted(kept)))


def _ascii_ids(tokenizer: Tokenizer) -> list[int]:
    return [
        index
        for index, piece in enumerate(tokenizer.pieces)
        if piece.removeprefix(_MARK).isascii() and index not in tokenizer.special_ids
    ]


def main() -> None:
    """Build the checkpoint and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where checkpoints are kept")
    parser.add_argument("--smoke", action="store_true", help="a tiny shape")
    options = parser.parse_args()
    print(full_size_checkpoint(options.smoke, options.folder))


if __name__ == "__main__":
    main()
