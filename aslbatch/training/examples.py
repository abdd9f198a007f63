"""Training examples: token ids of sentences and their translations, stored in flat arrays."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aslbatch.models.tokenizer import Tokenizer

_PAD, _EOS, _IGNORED = 1, 2, -100
_AT_ONCE = 65_536

Ints = NDArray[np.int64]


class Example(NamedTuple):
    """A training example.

    Attributes:
        source: `[source_lang, ..., </s>]`.
        target: `[target_lang, ..., </s>]`.
    """

    source: list[int]
    target: list[int]


class Batch(NamedTuple):
    """Padded token ids, each of shape (examples, length), int64; labels are padded with -100."""

    input_ids: Tensor
    attention_mask: Tensor
    decoder_input_ids: Tensor
    labels: Tensor


class Examples:
    """Many examples in a few arrays: 8 bytes a token and no object for each.

    Attributes:
        lengths: Tokens of source and target, of shape (examples, 2).
    """

    def __init__(self, examples: Iterable[Example]) -> None:
        lengths: list[tuple[int, int]] = []
        parts: list[NDArray[np.int32]] = []
        waiting: list[int] = []
        for example in examples:
            lengths.append((len(example.source), len(example.target)))
            waiting += example.source
            waiting += example.target
            if len(waiting) > _AT_ONCE:
                parts.append(np.array(waiting, np.int32))
                waiting = []
        self._tokens = np.concatenate([*parts, np.array(waiting, np.int32)])
        self.lengths: Ints = np.array(lengths, np.int64).reshape(-1, 2)
        self._ends: Ints = np.cumsum(self.lengths.sum(axis=1))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Example:
        source, target = self.lengths[index].tolist()
        end = int(self._ends[index])
        row = self._tokens[end - source - target : end].tolist()
        return Example(row[:source], row[source:])

    def batch(self, indices: Sequence[int] | Ints) -> Batch:
        """Return some of the examples, padded."""
        return collate([self[int(index)] for index in indices])


def encode_pairs(
    tokenizer: Tokenizer,
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    source_lang: str,
    target_lang: str,
    max_length: int,
) -> list[Example]:
    """Return the examples of one direction; those that are too long are left out.

    A cut target would teach to end in the middle, a cut source to make up its end.

    Args:
        tokenizer: The tokenizer of the checkpoint.
        sources: Texts of one language.
        targets: Their translations.
        source_lang: mBART-50 code.
        target_lang: mBART-50 code.
        max_length: Most tokens of a side, language and end token included.
    """
    return [
        Example(source.tokens, target.tokens)
        for source, target in zip(
            tokenizer.encode(sources, source_lang, max_length),
            tokenizer.encode(targets, target_lang, max_length),
            strict=True,
        )
        if not (source.truncated or target.truncated)
    ]


def collate(examples: Sequence[Example]) -> Batch:
    """Pad examples; the decoder reads `[</s>, target_lang, ...]` and predicts the target."""
    source = _padded([example.source for example in examples], _PAD)
    labels = _padded([example.target for example in examples], _IGNORED)
    shifted = _padded([[_EOS, *example.target[:-1]] for example in examples], _PAD)
    return Batch(source, (source != _PAD).long(), shifted, labels)


def _padded(rows: Sequence[list[int]], value: int) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])
