"""Cross-entropy over a large vocabulary, without ever holding the logits of a whole batch.

The logits of 1,000 tokens take 1 GB with mBART-50's vocabulary. They are computed in pieces, and
their gradients with them, so that the backward pass computes nothing anew.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from transformers import MBartForConditionalGeneration

from aslbatch.training.examples import Batch

_IGNORED = -100
_LOGITS_AT_ONCE = 1 << 26
"""256 MB of float32."""


def summed_loss(
    model: MBartForConditionalGeneration, batch: Batch, row: tuple[int, Tensor] | None = None
) -> Tensor:
    """Return the cross-entropy of a batch in nats, summed over target tokens.

    A sum, since examples of one step may go through the model in pieces or on several workers: the
    sum over all, divided by the count of all tokens, is the same however they are cut.

    Args:
        model: The model; its output matrix is trained where it requires gradients.
        batch: The examples.
        row: A row of the output matrix that is trained alone, and its parameter, of shape
            (d_model,); the matrix must hold its value.
    """
    hidden = model.model(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        decoder_input_ids=batch.decoder_input_ids,
        use_cache=False,
    ).last_hidden_state
    counted = batch.labels != _IGNORED
    index, parameter = row or (None, None)
    loss: Tensor = _SummedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden[counted],
        model.lm_head.weight,
        model.final_logits_bias[0],
        batch.labels[counted],
        index,
        parameter,
    )
    return loss


class _SummedCrossEntropy(torch.autograd.Function):
    """The sum of `cross_entropy(hidden @ weight.T + bias, labels)`, computed in pieces."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        labels: Tensor,
        index: int | None,
        row: Tensor | None,
    ) -> Tensor:
        kind = hidden.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        # What is computed in which precision is said here, not left to autocast.
        with torch.autocast(kind, enabled=False):
            matrix = weight.to(dtype)
            grad_hidden = torch.empty_like(hidden)
            wants_weight = ctx.needs_input_grad[1]  # type: ignore[attr-defined]
            grad_weight = torch.zeros_like(weight) if wants_weight else None
            grad_row = None if row is None else torch.zeros_like(row)
            loss = hidden.new_zeros((), dtype=torch.float32)
            at_once = max(1, _LOGITS_AT_ONCE // len(weight))
            for start in range(0, len(hidden), at_once):
                some = slice(start, start + at_once)
                states, wanted = hidden[some].to(dtype), labels[some, None]
                logits = (states @ matrix.T).float() + bias
                # In place from here on: log-probabilities, probabilities, gradients.
                logits -= logits.logsumexp(dim=1, keepdim=True)
                loss -= logits.gather(1, wanted).sum()
                grad = logits.exp_()
                grad.scatter_add_(1, wanted, grad.new_full(wanted.shape, -1.0))
                if grad_row is not None:
                    grad_row += grad[:, index] @ hidden[some].to(grad.dtype)
                grad = grad.to(dtype)
                grad_hidden[some] = grad @ matrix
                if grad_weight is not None:
                    grad_weight += grad.T @ states
        ctx.save_for_backward(grad_hidden, grad_weight, grad_row)  # type: ignore[arg-type]
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden, grad_weight, grad_row = (
            None if each is None else each * grad
            for each in ctx.saved_tensors  # type: ignore[attr-defined]
        )
        return grad_hidden, grad_weight, None, None, None, grad_row
