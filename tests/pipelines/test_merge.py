"""Merging behind the gate: right adapters pass, and each planted fault has its own refusal."""

import json
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from tiny_checkpoint import tiny_checkpoint
from transformers import MBart50Tokenizer, MBartForConditionalGeneration

from aslbatch.errors import MergeError, SinkError
from aslbatch.models.checkpoint import DEMO_FOLDER, find_checkpoint
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.merge import MERGE, _probes, merge_adapter
from aslbatch.training.adapter import Adapter
from aslbatch.training.merge import check_adapter, merge
from aslbatch.training.merge_conversion import check_conversion
from aslbatch.training.merge_gate import Searched, check_merged

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
ROW = "base_model.model.model.shared.token_adapter.trainable_tokens_delta"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """An adapter that changes the demo model a good deal, without having learned anything."""
    model = MBartForConditionalGeneration.from_pretrained(DEMO_FOLDER, dtype=torch.float32)
    token_id = Tokenizer.load(DEMO_FOLDER).language_id("asl_GL")
    made = Adapter(model, base="demo", token_id=token_id, rank=4, alpha=8, dropout=0.0, seed=2)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in made.parameters.values():
            parameter.add_(0.02 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("adapter")
    made.save(folder)
    return folder


@pytest.fixture(scope="module")
def merged(adapter, tmp_path_factory):
    """The right model."""
    folder = tmp_path_factory.mktemp("merged")
    merge(DEMO_FOLDER, adapter, folder)
    return folder


@pytest.fixture
def harmed(merged, tmp_path):
    """A copy of the right model to do harm to."""
    return Path(shutil.copytree(merged, tmp_path / "harmed"))


def copy_of(adapter, folder, **config):
    copied = Path(shutil.copytree(adapter, folder))
    path = copied / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return copied


def test_a_right_adapter_gives_a_model_that_everything_takes(adapter, tmp_path):
    load = MBartForConditionalGeneration.from_pretrained
    with patch.object(MBartForConditionalGeneration, "from_pretrained", wraps=load) as loads:
        done = merge_adapter(str(adapter), str(tmp_path / "out"), precision="float16")
    # To merge, base plus adapter for the gate, what came out of it, and that again to round it.
    assert loads.call_count == 4
    assert done.gate.identical_translations == done.gate.probes == 24
    assert done.gate.max_logit_difference < done.gate.logit_limit
    folder = tmp_path / "out"
    model = MBartForConditionalGeneration.from_pretrained(folder)
    assert model.dtype == torch.float16
    tokenizer = MBart50Tokenizer.from_pretrained(folder)
    tokenizer.src_lang = "asl_GL"
    assert "local" not in (folder / "tokenizer_config.json").read_text()
    assert tokenizer("HELLO")["input_ids"][0] == len(tokenizer) - 1
    base = MBartForConditionalGeneration.from_pretrained(DEMO_FOLDER, dtype=torch.float32)
    wanted = PeftModel.from_pretrained(base, adapter).merge_and_unload().half().state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())
    record = json.loads((folder / MERGE).read_text())
    assert record["base"]["name"] == "demo"
    card = (folder / "README.md").read_text()
    assert "not reviewed by signers" in card
    assert record["adapter"]["sha256"] in card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    scores = tmp_path / "scores"
    scores.mkdir()
    (scores / "scores.md").write_text("## Evaluation\n\nchrF 99\n")
    sha256 = find_checkpoint(str(folder)).sha256
    wanted = {"precision": "float16", "scores": str(scores), "overwrite": True}
    for fingerprint in ("0123", sha256):
        found = {"into_gloss": {"provenance": {"model_sha256": [fingerprint]}}, "pairs": {}}
        (scores / "scores.json").write_text(json.dumps(found))
        if fingerprint == sha256:
            merge_adapter(str(adapter), str(folder), **wanted)
        else:
            with pytest.raises(MergeError, match="scores of 0123, but the merged model is"):
                merge_adapter(str(adapter), str(folder), **wanted)
    assert "chrF 99" in (folder / "README.md").read_text()
    assert find_checkpoint(str(folder)).sha256 == sha256
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("All I have.")
    with pytest.raises(SinkError, match="something else"):
        merge_adapter(str(adapter), str(tmp_path / "mine"), overwrite=True)
    with pytest.raises(SinkError, match="not empty"):
        merge_adapter(str(adapter), str(folder))


def test_another_scale_is_refused(adapter, tmp_path):
    wrong = tmp_path / "wrong"
    merge(DEMO_FOLDER, copy_of(adapter, tmp_path / "scaled", lora_alpha=9), wrong)
    with pytest.raises(MergeError, match=r"logits differ from base plus adapter.*lora_alpha"):
        check_merged(wrong, DEMO_FOLDER, adapter, _probes())


def test_a_touched_row_of_another_language_is_refused(harmed, adapter):
    tensors = load_file(harmed / "model.safetensors")
    tensors["model.shared.weight"][77, 3] += 1e-4
    save_file(tensors, harmed / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MergeError, match=r"1 rows of the embeddings differ.*such as row 77"):
        check_merged(harmed, DEMO_FOLDER, adapter, _probes())


def test_a_model_that_ctranslate2_translates_otherwise_is_refused(merged, tmp_path):
    sources = Tokenizer.load(merged).encode(["I see him.", "The book is old."], "en_XX", 64)
    other = [Searched(each.tokens, "asl_GL", [7]) for each in sources]
    with pytest.raises(MergeError, match=r"CTranslate2 does not .* expected \[\[7\], \[7\]\]"):
        check_conversion(merged, tmp_path / "new/converted", other)


def test_an_untied_head_is_refused(harmed, adapter):
    tensors = load_file(harmed / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.shared.weight"].clone()
    save_file(tensors, harmed / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MergeError, match=r"lm_head\.weight are stored by themselves"):
        check_merged(harmed, DEMO_FOLDER, adapter, _probes())


def test_a_parameter_that_no_adapter_changes_and_another_tokenizer_are_refused(harmed, adapter):
    tensors = load_file(harmed / "model.safetensors")
    tensors["model.encoder.layers.0.fc1.bias"][0] += 1e-3
    save_file(tensors, harmed / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MergeError, match=r"fc1\.bias differs from .*no adapter changes it"):
        check_merged(harmed, DEMO_FOLDER, adapter, _probes())
    path = harmed / "tokenizer.json"
    path.write_text(path.read_text().replace('"▁the"', '"▁teh"'))
    with pytest.raises(MergeError, match="copy the base's tokenizer"):
        check_merged(harmed, DEMO_FOLDER, adapter, _probes())


def test_unfit_adapters_are_refused_and_nothing_is_written(adapter, tmp_path, tiny_model):
    out = tmp_path / "out"
    none = copy_of(adapter, tmp_path / "none", trainable_token_indices=None)
    with pytest.raises(MergeError, match=r"trainable_token_indices is None, expected \[\d+\]"):
        merge_adapter(str(none), str(out))
    sick = copy_of(adapter, tmp_path / "sick")
    tensors = load_file(sick / "adapter_model.safetensors")
    tensors[ROW][0, 0] = float("nan")
    save_file(tensors, sick / "adapter_model.safetensors")
    with pytest.raises(MergeError, match="not finite"):
        merge_adapter(str(sick), str(out))
    code = Tokenizer.load(tiny_model).language_id("asl_GL")
    renamed = copy_of(adapter, tmp_path / "renamed")
    tensors = load_file(renamed / "adapter_model.safetensors")
    tensors = {name.replace("decoder", "other"): value for name, value in tensors.items()}
    save_file(tensors, renamed / "adapter_model.safetensors")
    with pytest.raises(MergeError, match=r"tensors are missing .*have no place in"):
        merge_adapter(str(renamed), str(out))
    same = copy_of(adapter, tmp_path / "same")
    tensors = load_file(same / "adapter_model.safetensors")
    demo = load_file(DEMO_FOLDER / "model.safetensors")["model.shared.weight"]
    tensors[ROW][0] = demo[-1].float()
    save_file(tensors, same / "adapter_model.safetensors")
    with pytest.raises(MergeError, match="was never trained"):
        merge_adapter(str(same), str(out))
    strange = copy_of(adapter, tmp_path / "strange", trainable_token_indices=[code])
    with pytest.raises(MergeError, match="does not fit"):
        merge_adapter(str(strange), str(out), base=str(tiny_model))
    with pytest.raises(MergeError, match="expected the folder `adapter` of a train job"):
        merge_adapter(str(tmp_path), str(out))
    assert not out.exists()
    assert not list(tmp_path.glob(".out*"))


def test_a_base_on_the_hub_is_the_commit_that_the_adapter_was_trained_on(adapter, tmp_path, hub):
    plain = tiny_checkpoint(tmp_path / "plain", gloss=False)
    commit = hub.publish("models", "org/base", plain)
    hub.publish("models", "org/base", DEMO_FOLDER)
    config = {"base_model_name_or_path": "org/base", "revision": commit}
    pinned = copy_of(adapter, tmp_path / "pinned", **config)
    # What is on the branch now would pass.
    with pytest.raises(MergeError, match=f"{commit}: the base does not know asl_GL"):
        hub.call(merge_adapter, str(pinned), str(tmp_path / "out"))


def test_another_base_than_the_one_trained_on_is_refused(adapter, tmp_path):
    trained = copy_of(adapter, tmp_path / "trained")
    demo, other = find_checkpoint("demo").identity, tmp_path / "other"
    (trained / "training.json").write_text(json.dumps({"base": demo}))
    shutil.copytree(DEMO_FOLDER, other)
    tensors = load_file(other / "model.safetensors")
    tensors["model.encoder.layers.0.fc1.bias"][0] += 1e-3
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    now = find_checkpoint(str(other)).sha256
    with pytest.raises(MergeError, match=rf"{now}, but .* on demo, .*{demo['sha256']}; .*--base"):
        merge_adapter(str(trained), str(tmp_path / "out"), base=str(other))


def test_a_base_without_the_code_is_refused(adapter, tmp_path):
    plain = tiny_checkpoint(tmp_path / "plain", gloss=False)
    with pytest.raises(MergeError, match="does not know asl_GL"):
        check_adapter(adapter, plain)
