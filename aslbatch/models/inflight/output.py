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
        ids: int64 [tokens]; the token id of each row of the matrix.
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
        self.ids = torch.arange(len(weight), device=weight.device)
        if kept is not None:
            self.ids = torch.tensor(list(kept), device=weight.device)
            weight, bias = weight[self.ids], bias[self.ids]
        self._weight, self._bias = weight, bias
        self.eos_id = eos_id
        self.eos = int((self.ids == eos_id).nonzero())

    def __len__(self) -> int:
        return len(self.ids)

    def logits(self, states: Tensor) -> Tensor:
        """Return float32 [n, tokens] for states [n, width]."""
        if states.is_cuda and states.dtype != torch.float32:
            # Rounding logits to 8 bits of mantissa would move scores by more than beams differ.
            product = torch.mm(states, self._weight.T, out_dtype=torch.float32)
        else:
            product = F.linear(states, self._weight).float()
        return product.add_(self._bias)


def best_tokens(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the best tokens of each row: log-probabilities and rows of the output matrix.

    The best of all lie in the chunks that have the best maxima, so that a row is read once for the
    maxima and once for the sum, and not sorted.

    Args:
        logits: float32 [n, tokens].
        count: How many, best first.

    Returns:
        float32 [n, count] and int64 [n, count].
    """
    rows, tokens = logits.shape
    whole = tokens - tokens % _CHUNK
    chunks = logits[:, :whole].unflatten(1, (-1, _CHUNK))
    top = chunks.amax(-1).topk(min(count, chunks.shape[1]), sorted=False).indices
    inside = chunks.gather(1, top[:, :, None].expand(-1, -1, _CHUNK)).flatten(1)
    places = torch.arange(tokens, device=logits.device)
    indices = (top[:, :, None] * _CHUNK + places[:_CHUNK]).flatten(1)
    candidates = torch.cat([inside, logits[:, whole:]], 1)
    best, at = candidates.topk(count)
    indices = torch.cat([indices, places[whole:].expand(rows, -1)], 1).gather(1, at)
    return best - logits.logsumexp(1, keepdim=True), indices
