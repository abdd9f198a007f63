"""The train job on the demo model and on new models, alone and with two workers."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from peft import PeftModel
from tiny_checkpoint import tiny_checkpoint
from training_examples import demo_pairs
from transformers import MBartForConditionalGeneration

from aslbatch.config.train import TrainConfig
from aslbatch.errors import OutputMismatchError, SourceError
from aslbatch.models.checkpoint import DEMO_FOLDER, find_checkpoint
from aslbatch.models.inspection import check_checkpoint
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.train import train

pytestmark = [
    pytest.mark.usefixtures("cluster", "pairs"),
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning"),
]
DIRECTIONS = ("into_gloss", "into_english")
NEW = {"vocabulary": 300, "d_model": 32, "layers": 1, "heads": 2, "ffn_dim": 64, "dropout": 0.0}


def changed(gloss):
    """Another convention: points are written otherwise, and the word order is turned round."""
    signs = [sign.replace("IX-", "PRO.").replace("POSS-", "OWN.") for sign in gloss.split()]
    return " ".join(sign.removeprefix("#").lower() if "#" in sign else sign for sign in signs)


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    english, gloss = demo_pairs(420)
    table = pa.table({"source": english, "target": [changed(each) for each in gloss]})
    pq.write_table(table.slice(0, 400), "train.parquet")
    pq.write_table(table.slice(400), "validation.parquet")


def config(name="out", **sections):
    values = {
        "data": [{"paths": "train.parquet"}],
        "start": {"new": NEW},
        "method": {"kind": "full"},
        "training": {"epochs": None, "steps": 6, "batch_examples": 24, "learning_rate": 3e-3},
        "sink": {"path": name},
        "run": {"workers": 1, "cpus_per_worker": 1, "checkpoint_every_steps": 4},
    }
    for section, changes in sections.items():
        old = values.get(section)
        values[section] = {**old, **changes} if isinstance(old, dict) else changes
    return TrainConfig.model_validate(values)


def test_two_workers_give_the_losses_of_one_with_the_whole_batch():
    one = train(config("one", validation={"paths": "validation.parquet", "rows": 8}))
    two = train(config("two", run={"workers": 2}))
    assert two.record["losses"] == pytest.approx(one.record["losses"], abs=1e-4)
    assert one.record["losses"][-1] < one.record["losses"][0]
    # What came out is a checkpoint that every job takes.
    check_checkpoint(find_checkpoint(one.result), ("en_XX", "asl_GL"), max_length=128)
    assert one.record["steps"] == {"planned": 6, "taken": 6, "best": 6}
    assert one.record["measured"]["best"].keys() == {"step", *DIRECTIONS, "mean"}
    account = {"pairs": 400, "incomplete": 0, "too_long": 0, "examples": 800}
    assert one.record["data"] == [
        {"paths": ["train.parquet"], **account, "times": 1.0, "tag": None}
    ]
    assert list(Path("one/tensorboard").glob("events*"))


def test_an_adapter_learns_another_convention_and_leaves_the_rest_alone():
    trained = train(
        config(
            start={"name": "demo", "new": None},
            method={"kind": "lora", "dropout": 0.0},
            training={"steps": 60, "learning_rate": 4e-3},
            validation={
                "paths": "validation.parquet",
                "rows": 60,
                "directions": ["into_gloss"],
                "score": "token_f1",
                "every_steps": 30,
            },
        )
    )
    print(trained.record["measured"])
    base = MBartForConditionalGeneration.from_pretrained(DEMO_FOLDER, dtype=torch.float32)
    embeddings = base.get_input_embeddings().weight.detach().clone()
    merged = PeftModel.from_pretrained(base, trained.result).merge_and_unload()
    rows = (merged.get_input_embeddings().weight != embeddings).any(dim=1).nonzero().flatten()
    assert rows.tolist() == [len(embeddings) - 1]
    settings = json.loads(Path("out/adapter/adapter_config.json").read_text())
    assert settings["base_model_name_or_path"].endswith("demo")
    assert settings["trainable_token_indices"] == [len(embeddings) - 1]
    assert not Path("out/start").exists()


def test_a_base_without_the_code_gets_it_once_warm_started(tmp_path):
    plain = tiny_checkpoint(tmp_path / "plain", gloss=False)
    train(
        config(
            data=[{"paths": "train.parquet", "tag": "<BT>", "directions": ["into_english"]}],
            start={"name": str(plain), "new": None},
            method={"kind": "lora"},
            training={"steps": 2, "max_length": 256},
        )
    )
    old, new = (
        MBartForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        for folder in (plain, "out/start")
    )
    before, after = (model.get_input_embeddings().weight for model in (old, new))
    english = Tokenizer.load(plain).language_id("en_XX")
    assert torch.equal(after[:-1], before)
    assert torch.equal(after[-1], before[english])
    settings = json.loads(Path("out/adapter/adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == str(Path("out/start").absolute())


def test_training_stops_when_it_gets_no_better_and_other_work_is_not_written_over():
    measured = {"paths": "validation.parquet", "rows": 4, "every_steps": 1, "patience": 2}
    slow = config(validation=measured, training={"steps": 40, "learning_rate": 1e-9})
    trained = train(slow)
    steps, made = trained.record["steps"], trained.record["measured"]["all"]
    assert (steps["taken"], steps["best"]) == (3, 1)
    assert [each["step"] for each in made] == [1, 2, 3]
    before = Path("out/training.json").read_bytes()
    assert train(slow) == trained
    with pytest.raises(OutputMismatchError, match=r"training\.steps: 40 -> 2"):
        train(config(validation=measured, training={"steps": 2, "learning_rate": 1e-9}))
    assert Path("out/training.json").read_bytes() == before


def test_columns_that_are_not_there_and_rows_without_text_are_told():
    with pytest.raises(SourceError, match="gloss"):
        train(config(data=[{"paths": "train.parquet", "gloss": "gloss"}]))
    empty = pa.table({"source": ["A cat."], "target": pa.array([None], pa.string())})
    pq.write_table(empty, "none.parquet")
    with pytest.raises(SourceError, match="no row has text in both 'source' and 'target'"):
        train(config("other", data=[{"paths": "none.parquet"}]))
