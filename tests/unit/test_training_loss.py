"""The loss: that of transformers, with its gradients, in pieces of any size."""

import pytest
import torch
from torch.nn import functional
from training_examples import copies, small_model

from aslbatch.training import loss as module
from aslbatch.training.examples import Example, collate
from aslbatch.training.loss import summed_loss


def reference(model, batch):
    logits = model(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        decoder_input_ids=batch.decoder_input_ids,
    ).logits
    return functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), reduction="sum")


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("logits_at_once", [1, 70, 1 << 26])
def test_loss_and_gradients_are_those_of_the_whole_logits(monkeypatch, logits_at_once):
    monkeypatch.setattr(module, "_LOGITS_AT_ONCE", logits_at_once)
    model, batch = small_model().train(), copies(9).batch(range(9))
    model.final_logits_bias[0, 7] = 0.5
    wanted, found = reference(model, batch), summed_loss(model, batch)
    assert torch.allclose(found, wanted, rtol=1e-6)
    ours, theirs = gradients(model, 3 * found), gradients(model, 3 * wanted)
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        assert torch.allclose(gradient, theirs[name], rtol=1e-4, atol=1e-5), name


def test_a_single_row_of_the_output_gets_its_gradient_alone():
    model, batch = small_model().train(), copies(9).batch(range(9))
    wanted = gradients(model, reference(model, batch))["model.shared.weight"]
    inputs = model.get_input_embeddings().weight
    inputs.requires_grad_(False)
    model.zero_grad()
    row = torch.nn.Parameter(inputs[11].clone())
    summed_loss(model, batch, (11, row)).backward()
    assert inputs.grad is None
    # The rest of that row's gradient is of its use as an input.
    inputs.requires_grad_(True)
    outputs = wanted[11] - _of_inputs(model, batch)[11]
    assert torch.allclose(row.grad, outputs, rtol=1e-3, atol=1e-4)


def _of_inputs(model, batch):
    """Return the gradient of the embeddings as inputs, with an output matrix of its own."""
    untied = model.lm_head.weight.detach().clone()
    hidden = model.model(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        decoder_input_ids=batch.decoder_input_ids,
    ).last_hidden_state
    logits = hidden @ untied.T
    loss = functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), reduction="sum")
    return gradients(model, loss)["model.shared.weight"]


def test_padding_counts_for_nothing():
    model = small_model().eval()
    examples = [Example([4, 7, 2], [4, 8, 9, 2]), Example([4, 2], [4, 2])]
    together = summed_loss(model, collate(examples))
    alone = sum(summed_loss(model, collate([example])) for example in examples)
    assert torch.allclose(together, alone, rtol=1e-5)


def test_decoder_reads_the_target_shifted_by_one():
    batch = collate([Example([4, 7, 2], [4, 8, 9, 2]), Example([4, 2], [4, 2])])
    assert batch.decoder_input_ids.tolist() == [[2, 4, 8, 9], [2, 4, 1, 1]]
    assert batch.labels.tolist() == [[4, 8, 9, 2], [4, 2, -100, -100]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
