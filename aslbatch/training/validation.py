"""Translations of validation sentences by a model in training, made by all workers together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from aslbatch.models.cuda_engine import CudaEngine
from aslbatch.models.decoding import Decoding
from aslbatch.models.loading import LoadedModel
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.training.batches import cut
from aslbatch.training.learner import Learner
from aslbatch.training.world import World


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out sentences of one direction.

    Attributes:
        source_lang: mBART-50 code.
        target_lang: mBART-50 code.
        sources: Texts.
        references: Their translations.
    """

    source_lang: str
    target_lang: str
    sources: Sequence[str]
    references: Sequence[str]


def translate_held(
    learner: Learner,
    tokenizer: Tokenizer,
    held: Sequence[Held],
    *,
    decoding: Decoding,
    world: World,
) -> list[list[str]]:
    """Translate held-out sentences as the merged model will; each worker takes a share.

    Args:
        learner: The model in training, which goes on as it was.
        tokenizer: Its tokenizer.
        held: Sentences of each direction.
        decoding: How translations are searched for.
        world: The workers.

    Returns:
        The translations of each direction, in the order of the sentences.
    """
    training = learner.model.training
    # A plain copy: what is measured is what will be used.
    engine = CudaEngine.load(LoadedModel(learner.merged(), tokenizer))
    found = [
        world.gather(_translate(engine, tokenizer, each, world.share(each.sources), decoding))
        for each in held
    ]
    learner.model.train(training)
    return found


@torch.inference_mode()
def _translate(
    engine: CudaEngine,
    tokenizer: Tokenizer,
    held: Held,
    sources: Sequence[str],
    decoding: Decoding,
) -> list[str]:
    encoded = tokenizer.encode(sources, held.source_lang, decoding.max_length)
    rows = [each.tokens for each in encoded]
    lengths = np.array([(len(row), 0) for row in rows], np.int64).reshape(-1, 2)
    order = np.argsort(lengths[:, 0], kind="stable")
    texts = [""] * len(rows)
    for group in cut(order, lengths, max_tokens=engine.batching.max_tokens):
        found = engine.translate(
            [rows[index] for index in group], target_lang=held.target_lang, decoding=decoding
        )
        decoded = tokenizer.decode([best[0].tokens for best in found])
        for index, text in zip(group, decoded, strict=True):
            texts[index] = text
    return texts
