"""The adapter: PEFT reads it, its gradients are PEFT's, and nothing that is frozen moves."""

import pytest
import torch
from peft import PeftConfig, PeftModel
from training_examples import batches_of, demo_examples
from transformers import MBartForConditionalGeneration

from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.training.adapter import Adapter
from aslbatch.training.loop import Recipe, Training

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
STEPS = 6


def demo():
    return MBartForConditionalGeneration.from_pretrained(DEMO_FOLDER, dtype=torch.float32)


@pytest.fixture(scope="module")
def token_id():
    return Tokenizer.load(DEMO_FOLDER).language_id("asl_GL")


def make(token_id, **settings):
    values = {"rank": 4, "alpha": 8, "dropout": 0.0, "seed": 1} | settings
    return Adapter(demo(), base="demo", token_id=token_id, **values)


@pytest.fixture(scope="module")
def trained(token_id):
    examples = demo_examples(120)
    adapter = make(token_id)
    recipe = Recipe(steps=STEPS, learning_rate=1e-2)
    Training(adapter, examples, batches_of(examples, max_examples=20), recipe).run(STEPS)
    return adapter, examples.batch(range(12))


def logits(model, batch):
    with torch.no_grad():
        return model(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            decoder_input_ids=batch.decoder_input_ids,
        ).logits


def test_it_changes_nothing_before_it_is_trained(token_id, trained):
    batch = trained[1]
    assert torch.equal(logits(make(token_id).model.eval(), batch), logits(demo().eval(), batch))


def test_all_that_is_frozen_stays_bit_by_bit(trained, token_id):
    base, changed = demo().state_dict(), set()
    for name, value in trained[0].model.state_dict().items():
        if "lora_" not in name and not torch.equal(value, base[name.replace(".base_layer", "")]):
            changed.add(name)
            rows = (value != base[name]).any(dim=1).nonzero().flatten().tolist()
            assert rows == [token_id]
    assert "model.shared.weight" in changed
    assert all(
        "embed_tokens" in name or "lm_head" in name for name in changed - {"model.shared.weight"}
    )


def test_peft_loads_it_and_both_give_the_merged_model(trained, tmp_path):
    adapter, batch = trained
    adapter.save(tmp_path)
    loaded = PeftModel.from_pretrained(demo(), tmp_path).eval()
    ours = logits(adapter.model.eval(), batch)
    assert torch.allclose(logits(loaded, batch), ours, atol=1e-4)
    assert torch.allclose(logits(adapter.merged(), batch), ours, atol=1e-3)
    assert not torch.allclose(logits(demo().eval(), batch), ours, atol=0.1)
    merged = loaded.merge_and_unload()
    tied = merged.get_input_embeddings().weight.data_ptr()
    assert merged.lm_head.weight.data_ptr() == tied


def test_its_gradients_are_those_of_peft(trained, tmp_path):
    adapter, batch = trained
    adapter.save(tmp_path)
    theirs = PeftModel.from_pretrained(demo(), tmp_path, is_trainable=True).eval()
    count = (batch.labels != -100).sum()
    loss = theirs(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        decoder_input_ids=batch.decoder_input_ids,
        labels=batch.labels,
    ).loss
    (loss * count).backward()
    adapter.model.eval()
    adapter.loss(batch).backward()
    compared = 0
    for name, parameter in theirs.named_parameters():
        if parameter.requires_grad:
            is_row = "trainable_tokens" in name
            ours = adapter.parameters["row" if is_row else name.removeprefix("base_model.model.")]
            assert torch.allclose(ours.grad, parameter.grad.squeeze(0), rtol=1e-3, atol=1e-3), name
            compared += 1
    assert compared == len(adapter.parameters)


def test_the_commit_of_the_base_is_recorded_where_peft_reads_it(token_id, tmp_path):
    make(token_id, revision="0" * 40).save(tmp_path)
    assert PeftConfig.from_pretrained(tmp_path).revision == "0" * 40


def test_bfloat16_trains_the_row_in_full_precision(token_id):
    examples = demo_examples(40)
    model = demo().to(torch.bfloat16)
    adapter = Adapter(model, base="demo", token_id=token_id, rank=4, alpha=8, dropout=0.1, seed=1)
    recipe = Recipe(steps=2, learning_rate=1e-5, precision="bfloat16")
    before = adapter.parameters["row"].detach().clone()
    run = Training(adapter, examples, batches_of(examples), recipe)
    run.run(2)
    assert {p.dtype for p in adapter.parameters.values()} == {torch.float32}
    assert not torch.equal(adapter.parameters["row"], before)
    assert run.losses[0] == pytest.approx(float(_loss32(examples)), rel=0.1)


def _loss32(examples):
    batch = examples.batch(batches_of(examples).at(0))
    found = logits(demo().eval(), batch).flatten(0, 1)
    return torch.nn.functional.cross_entropy(found, batch.labels.flatten())
