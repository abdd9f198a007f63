"""Small things to train: a model that learns to copy, and pairs of the demo grammar."""

import random

from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.training.batches import Batches, Portion
from aslbatch.training.demo.stream import PairStream
from aslbatch.training.examples import Example, Examples, encode_pairs
from aslbatch.training.new_model import new_model

LANGUAGE, FIRST, SIZE = 4, 5, 25


def small_model(seed=1, dropout=0.0):
    """A model of one layer and a vocabulary of 25."""
    return new_model(
        SIZE,
        d_model=32,
        layers=1,
        heads=2,
        ffn_dim=64,
        max_positions=16,
        dropout=dropout,
        seed=seed,
    )


def copies(count, seed=1):
    """Lines of 2 to 5 tokens, whose translation they are themselves."""
    rng = random.Random(seed)
    rows = [[rng.randrange(FIRST, SIZE) for _ in range(rng.randint(2, 5))] for _ in range(count)]
    return Examples([Example([LANGUAGE, *row, 2], [LANGUAGE, *row, 2]) for row in rows])


def batches_of(examples, **limits):
    """All examples once an epoch."""
    limits = {"max_tokens": 800, "seed": 5} | limits
    return Batches(examples.lengths, [Portion(0, len(examples), 1.0)], **limits)


def demo_pairs(count, seed=5):
    """English sentences of the demo grammar, and their glosses."""
    stream = PairStream(seed)
    pairs = [stream.backward() for _ in range(count)]
    return [pair.english for pair in pairs], [pair.gloss for pair in pairs]


def demo_examples(count):
    """Such pairs as the demo model reads them, from English to gloss."""
    english, gloss = demo_pairs(count)
    return Examples(
        encode_pairs(
            Tokenizer.load(DEMO_FOLDER),
            english,
            gloss,
            source_lang="en_XX",
            target_lang="asl_GL",
            max_length=128,
        )
    )
