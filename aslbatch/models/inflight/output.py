"""The output matrix over the tokens that may be generated, and the best of them at each step."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import MBartForConditionalGeneration

_CHUNK = 64


class Output:
    """Scores tokens.

    Attributes:
        ids: int64 [rows]; the token id of each row of the matrix, which is filled up to whole
            chunks with rows that are never chosen.
        tokens: How many rows are tokens.
        eos_id: Id of the end token.
        eos: The row of the matrix that is its.
    """

    def __init__(
        self, model: MBartForConditionalGeneration, kept: Sequence[int] | None, eos_id: int
    ) -> None:
        """Slice the matrix.

        Args:
            model: A loaded model.
            kept: Ids of the tokens that may be generated, ascending; None for all.
            eos_id: Id of `</s>`, one of them.
        """
        weight = model.lm_head.weight.detach()
        bias = model.final_logits_bias.detach()[0].float()
        ids = torch.arange(len(weight), device=weight.device)
        if kept is not None:
            ids = torch.tensor(list(kept), device=weight.device)
            weight, bias = weight[ids], bias[ids]
        self.tokens = len(ids)
        missing = -len(ids) % _CHUNK
        self.ids = F.pad(ids, (0, missing), value=eos_id)
        self._weight = F.pad(weight, (0, 0, 0, missing))
        self._bias = bias if bool(bias.any()) else None
        self.eos_id = eos_id
        self.eos = int((ids == eos_id).nonzero())

    def logits(self, states: Tensor) -> Tensor:
        """Return float32 [n, rows] for states [n, width]; -inf where a row is no token."""
        if states.is_cuda and states.dtype != torch.float32:
            # Rounding logits to 8 bits of mantissa would move scores by more than beams differ.
            product = torch.mm(states, self._weight.T, out_dtype=torch.float32)
        else:
            product = F.linear(states, self._weight).float()
        product[:, self.tokens :] = -torch.inf
        if self._bias is not None:
            product[:, : self.tokens] += self._bias
        return product


def best_tokens(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the best tokens of each row: log-probabilities and rows of the output matrix.

    The best of all lie in the chunks that have the best maxima; so no row is sorted.

    Args:
        logits: float32 [n, rows], whole chunks of 64.
        count: How many, best first.

    Returns:
        float32 [n, count] and int64 [n, count].
    """
    chunks = logits.log_softmax(1).view(len(logits), -1, _CHUNK)
    top = chunks.amax(-1).topk(min(count, chunks.shape[1]), sorted=False).indices
    inside = chunks.gather(1, top[:, :, None].expand(-1, -1, _CHUNK)).flatten(1)
    best, at = inside.topk(count)
    indices = top.gather(1, at // _CHUNK) * _CHUNK + at % _CHUNK
    return best, indices
