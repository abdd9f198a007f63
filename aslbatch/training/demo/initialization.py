"""Where the demo model's embeddings start: pieces of one root share most of their vector."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import MBart50Tokenizer

from aslbatch.training.demo.vocabulary import Piece

_ROOT_SHARE = 0.75


def mirrored_embeddings(
    tokenizer: MBart50Tokenizer, pieces: Sequence[Piece], d_model: int, seed: int
) -> Tensor:
    """Draw embeddings in which ``▁do``, ``▁Do``, ``▁DO`` and ``▁#DO`` are neighbors.

    Each is the sum of a vector of its root and a vector of its case, so that changing the case
    is one translation for all pieces, and copying an unknown word needs no memory of it.

    Returns:
        Float32 of shape (len(tokenizer), d_model), standard deviation ``d_model**-0.5``; the row
        of ``<pad>`` is zero.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(rows: int) -> Tensor:
        scale: float = d_model**-0.5
        return torch.randn(rows, d_model, generator=generator) * scale

    weight = draw(len(tokenizer))
    roots = sorted({piece.root for piece in pieces})
    cases = sorted({piece.case for piece in pieces})
    of_root = dict(zip(roots, draw(len(roots)), strict=True))
    of_case = dict(zip(cases, draw(len(cases)), strict=True))
    for piece in pieces:
        row = tokenizer.convert_tokens_to_ids(piece.text)
        mixed = _ROOT_SHARE * of_root[piece.root]
        weight[row] = mixed + (1 - _ROOT_SHARE**2) ** 0.5 * of_case[piece.case]
    weight[tokenizer.pad_token_id] = 0.0
    return weight
