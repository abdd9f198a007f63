"""A tiny mBART-50 with a vocabulary like the real one's, trained on the demo grammar.

The shipped demo knows nothing but English and gloss, so a shortlist leaves nothing out of it. Here
most of the vocabulary is in other scripts, and is trained: some lines are copied in Russian,
Chinese, Arabic or Hindi. About four minutes on one core the first time; cached after that.

    python bench/tiny_model.py
"""

import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import torch
from short_training import train
from transformers import MBart50Tokenizer

from aslbatch.models.cache import cache_folder
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.provenance.hashing import sha256_json
from aslbatch.text.languages import GLOSS_CODE
from aslbatch.training.demo.grammar import Pair
from aslbatch.training.demo.initialization import mirrored_embeddings
from aslbatch.training.demo.stream import PairStream
from aslbatch.training.demo.vocabulary import Piece, build_tokenizer, learn_pieces
from aslbatch.training.examples import Example
from aslbatch.training.new_model import new_model
from aslbatch.training.saving import save_checkpoint

ENGLISH_CODE = "en_XX"
LANGUAGES = (ENGLISH_CODE, GLOSS_CODE)
DIRECTIONS = (LANGUAGES, LANGUAGES[::-1])

RECIPE = {
    "seed": 7,
    "layout": 2,
    "examples": 100_000,
    "vocabulary_lines": 8_000,
    "lower_pieces": 400,
    "foreign_pieces": 1_500,
    "foreign_share": 0.05,
    "steps": 1_500,
    "max_tokens": 1_536,
    "learning_rate": 4e-3,
}
SHAPE = {"d_model": 128, "layers": 2, "heads": 4, "ffn_dim": 256}

_HELD_OUT_SEED = 2**31 - 1
_MAX_LENGTH = 128
_CHUNK = 512
_FOREIGN_LENGTHS = (3, 12)
_FOREIGN_SCORE = -9.0
_SIGN_MARKS = frozenset("-:")
_START = "▁"

# Consonants and vowels of which syllables are made; NFKC leaves all of them alone.
_ALPHABETS = {
    "ru_RU": ("абвгдежзиклмнопрстуфхцчш", "аеиоуыя"),
    "ar_AR": ("ابتثجحخدذرزسشصضطظعغفقكلمنهو", "اويتن"),
    "hi_IN": ("कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह", "ािीुूेैोौ"),
}
_FIRST_IDEOGRAPH = 0x4E00


def tiny_checkpoint() -> Path:
    """Return the folder of the checkpoint; train it where this recipe is not cached yet."""
    target = cache_folder("bench") / f"tiny-{_key()}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            _build(partial)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def held_out_pairs(count: int) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return sources and references of each direction, from lines that no stream trains on.

    The demo model has not seen them either: both leave out the same twentieth of all lines.
    """
    drawn = PairStream(_HELD_OUT_SEED).held_out(2 * count)
    pairs = list({pair.gloss: pair for pair in drawn}.values())[:count]
    return {
        (ENGLISH_CODE, GLOSS_CODE): [(pair.english, pair.gloss) for pair in pairs],
        (GLOSS_CODE, ENGLISH_CODE): [(pair.gloss, pair.english) for pair in pairs],
    }


def _key() -> str:
    """Return a hash of all that decides the checkpoint, the words of the grammar among it."""
    lines = list(PairStream(RECIPE["seed"]).texts(200))
    return sha256_json({"recipe": RECIPE, "shape": SHAPE, "lines": lines})[:16]


def _build(out: Path) -> None:
    torch.set_num_threads(1)
    seed = RECIPE["seed"]
    foreign = foreign_pieces(RECIPE["foreign_pieces"], seed)
    pieces = [*_grammar_pieces(seed), *(piece for group in foreign.values() for piece in group)]
    tokenizer = build_tokenizer(pieces)
    model = new_model(
        len(tokenizer),
        **SHAPE,
        embeddings=mirrored_embeddings(tokenizer, pieces, SHAPE["d_model"], seed),
        seed=seed,
    )
    print(f"{len(tokenizer):,} pieces, {sum(p.numel() for p in model.parameters()):,} parameters")
    started = time.monotonic()

    def report(step: int, loss: float) -> None:
        if step % 100 == 0:
            print(f"step {step}: loss {loss:.3f}, {time.monotonic() - started:.0f} s", flush=True)

    train(
        model,
        islice(_examples(tokenizer, foreign, seed), RECIPE["examples"]),
        steps=RECIPE["steps"],
        max_tokens=RECIPE["max_tokens"],
        learning_rate=RECIPE["learning_rate"],
        seed=seed,
        report=report,
    )
    save_checkpoint(model, tokenizer, out, dtype=torch.float16)


def _grammar_pieces(seed: int) -> list[Piece]:
    stream = PairStream(seed)
    pairs = [stream.backward() for _ in range(RECIPE["vocabulary_lines"])]
    signs = {sign for pair in pairs for sign in pair.gloss.split() if _SIGN_MARKS & set(sign)}
    return learn_pieces([text for pair in pairs for text in pair], signs, RECIPE["lower_pieces"])


def foreign_pieces(count: int, seed: int) -> dict[str, list[Piece]]:
    """Return `count` pieces of each of four languages in other scripts, most frequent first."""
    rng = random.Random(seed)
    texts = {"zh_CN": [chr(_FIRST_IDEOGRAPH + index) for index in range(count)]}
    for language, (letters, endings) in _ALPHABETS.items():
        syllables = ["".join(parts) for parts in product(letters, endings)]
        words = [_START + "".join(parts) for parts in product(syllables, syllables)]
        texts[language] = [*letters, *syllables, *rng.sample(words, count)][:count]
    return {
        language: [Piece(text, _FOREIGN_SCORE, text, "lower") for text in group]
        for language, group in texts.items()
    }


def _examples(
    tokenizer: MBart50Tokenizer, foreign: dict[str, list[Piece]], seed: int
) -> Iterator[Example]:
    """Yield both directions in equal parts, and among them lines of other languages, endlessly."""
    stream, rng = PairStream(seed + 1), random.Random(seed + 2)
    encoder = Tokenizer(tokenizer)
    ids = {
        encoder.language_id(language): [
            tokenizer.convert_tokens_to_ids(piece.text) for piece in group
        ]
        for language, group in foreign.items()
    }
    while True:
        pairs = [stream.backward() for _ in range(_CHUNK)]
        for source_lang, target_lang in DIRECTIONS:
            sources = _encoded(encoder, pairs, source_lang)
            targets = _encoded(encoder, pairs, target_lang)
            for source, target in zip(sources, targets, strict=True):
                yield Example(source, target)
                if rng.random() < RECIPE["foreign_share"]:
                    yield _copied(ids, encoder.eos_id, rng)


def _encoded(encoder: Tokenizer, pairs: list[Pair], lang: str) -> list[list[int]]:
    texts = [pair.english if lang == ENGLISH_CODE else pair.gloss for pair in pairs]
    return [row.tokens for row in encoder.encode(texts, lang, _MAX_LENGTH)]


def _copied(ids: dict[int, list[int]], eos_id: int, rng: random.Random) -> Example:
    """Draw a line of another language, whose translation it is itself; early pieces are common."""
    language = rng.choice(sorted(ids))
    known = ids[language]
    length = rng.randint(*_FOREIGN_LENGTHS)
    line = [known[int(len(known) * rng.random() ** 2)] for _ in range(length)]
    row = [language, *line, eos_id]
    return Example(row, row)


def main() -> None:
    """Train the model unless it is there, and print where it lies."""
    print(tiny_checkpoint())


if __name__ == "__main__":
    main()
