"""The train job on the demo model and on new models, alone and with two workers."""

import json
import re
import shutil
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
from aslbatch.errors import MergeError, OutputMismatchError, SourceError
from aslbatch.evaluation.token_f1 import corpus_token_f1
from aslbatch.models.checkpoint import DEMO_FOLDER, find_checkpoint
from aslbatch.models.decoding import Decoding
from aslbatch.models.inspection import check_checkpoint
from aslbatch.models.loading import load_model
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.merge import merge_adapter
from aslbatch.pipelines.train import train
from aslbatch.storage.folder import Storage
from aslbatch.training.demo.stream import PairStream
from aslbatch.training.learner import WholeModel
from aslbatch.training.validation import Held, translate_held
from aslbatch.training.world import World

pytestmark = [
    pytest.mark.usefixtures("cluster", "pairs"),
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning"),
]
PAIRS = 2_000
DIRECTIONS = ("into_gloss", "into_english")
NEW = {"vocabulary": 300, "d_model": 32, "layers": 1, "heads": 2, "ffn_dim": 64, "dropout": 0.0}


def changed(gloss):
    """Another convention: points and possessives are written otherwise, names are not spelled in
    capitals, and the first point comes again at the end, as signers do."""
    signs = [sign.replace("IX-", "PRO.").replace("POSS-", "OWN.") for sign in gloss.split()]
    signs = [sign.removeprefix("#").lower() if "#" in sign else sign for sign in signs]
    points = [sign for sign in signs if sign.startswith("PRO.")]
    return " ".join([*signs, *points[:1]])


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    """Pairs of the demo grammar in that convention, and others that no stream trains on."""
    monkeypatch.chdir(tmp_path)
    held = PairStream(77).held_out(300)
    for name, (english, gloss) in {
        "train": demo_pairs(PAIRS),
        "validation": list(zip(*held, strict=True)),
    }.items():
        tags = ["<BT>" if number % 2 else None for number in range(len(english))]
        signs = [changed(each) for each in gloss]
        table = pa.table({"source": english, "target": signs, "tag": tags})
        pq.write_table(table, f"{name}.parquet")


def config(name="out", **sections):
    values = {
        "data": [{"paths": "train.parquet", "license": "cc0-1.0"}],
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
    account = {"pairs": PAIRS, "incomplete": 0, "too_long": 0, "examples": 2 * PAIRS}
    assert one.record["data"] == [
        {"paths": ["train.parquet"], **account, "times": 1.0, "tagged": 0, "license": "cc0-1.0"}
    ]
    assert list(Path("one/tensorboard").glob("events*"))
    made = {path.name for path in Path("one").iterdir()}
    assert made == {"_plan", "model", "start", "states", "tensorboard", "training.json"}


def test_an_adapter_learns_another_convention_and_leaves_the_rest_alone():
    trained = train(
        config(
            start={"name": "demo", "new": None},
            method={"kind": "lora", "dropout": 0.0},
            training={"steps": 160, "batch_examples": 48, "learning_rate": 8e-3},
            validation={"paths": "validation.parquet", "score": "token_f1", "every_steps": 1_000},
        )
    )
    assert trained.record["measured"]["best"]["into_gloss"] >= 88 > 80 > _before()
    base = MBartForConditionalGeneration.from_pretrained(DEMO_FOLDER, dtype=torch.float32)
    before = {name: value.clone() for name, value in base.state_dict().items()}
    loaded = PeftModel.from_pretrained(base, trained.result)
    frozen = [name for name, each in loaded.named_parameters() if "lora_" not in name]
    assert len(frozen) > 80
    after = loaded.merge_and_unload().state_dict()
    rows = (after["model.shared.weight"] != before["model.shared.weight"]).any(dim=1)
    assert rows.nonzero().flatten().tolist() == [len(rows) - 1]
    for name, value in after.items():
        if not re.search(r"embed_tokens|shared|lm_head|(_proj|fc\d)\.weight$", name):
            assert torch.equal(value, before[name]), name
    settings = json.loads(Path("out/adapter/adapter_config.json").read_text())
    assert settings["base_model_name_or_path"].endswith("demo")
    assert settings["trainable_token_indices"] == [len(rows) - 1]
    assert not Path("out/start").exists()


def _before():
    """Return what the demo model reaches in the other convention as it is."""
    table = pq.read_table("validation.parquet").to_pydict()
    loaded = load_model(
        DEMO_FOLDER, languages=("en_XX", "asl_GL"), precision="float32", device="cpu"
    )
    held = Held("en_XX", "asl_GL", table["source"], table["target"])
    (found,) = translate_held(
        WholeModel(loaded.model),
        loaded.tokenizer,
        [held],
        decoding=Decoding(num_beams=1),
        world=World(),
    )
    return corpus_token_f1(found, table["target"])


def test_a_base_without_the_code_gets_it_once_warm_started(tmp_path):
    plain = tiny_checkpoint(tmp_path / "plain", gloss=False)
    trained = train(
        config(
            data=[
                {
                    "paths": "train.parquet",
                    "tag": "tag",
                    "license": "cc0-1.0",
                    "directions": ["into_english"],
                }
            ],
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
    assert trained.record["data"][0]["tagged"] == PAIRS // 2
    english = Tokenizer.load(plain).language_id("en_XX")
    assert torch.equal(after[:-1], before)
    assert torch.equal(after[-1], before[english])
    settings = json.loads(Path("out/adapter/adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == str(Path("out/start").absolute())
    # And so it is merged, with what it was trained on in its card.
    start = find_checkpoint(str(Path("out/start").absolute())).identity
    assert trained.record["base"] == start
    with pytest.raises(MergeError, match=rf"plain: .*{start['name']}.*{start['sha256']}.*--base"):
        merge_adapter(trained.result, "merged", base=str(plain))
    shutil.copytree("out/start", "elsewhere")
    merge_adapter(trained.result, "merged", base="elsewhere")
    card = Path("merged/README.md").read_text()
    assert f"| `train.parquet` | cc0-1.0 | {PAIRS:,} | {PAIRS:,} | 1 | {PAIRS // 2:,} |" in card


def test_a_training_may_lie_in_a_bucket_and_its_secrets_are_not_recorded(s3):
    options = {"path": f"{s3.url}/trained", "storage_options": s3.storage_options}
    small = {"steps": 2, "batch_examples": 4}
    wanted = config(sink=options, training=small, run={"checkpoint_every_steps": 1})
    trained = train(wanted)
    storage = Storage(options["path"], s3.storage_options)
    assert storage.names("states")[-1] == "step-00000002.pt"
    assert [name for name in storage.names("tensorboard") if name.startswith("events")]
    checkpoint = find_checkpoint(trained.result, storage_options=s3.storage_options)
    check_checkpoint(checkpoint, ("en_XX", "asl_GL"), max_length=128)
    secret = str(s3.storage_options["secret"]).encode()
    for name in ("training.json", "model/training.json", "_plan/run.json"):
        assert secret not in storage.read(name)
    assert train(wanted) == trained


def test_training_stops_when_it_gets_no_better_and_other_work_is_not_written_over():
    measured = {"paths": "validation.parquet", "rows": 4, "every_steps": 1, "patience": 2}
    slow = config(validation=measured, training={"steps": 40, "learning_rate": 1e-9})
    trained = train(slow)
    steps, made = trained.record["steps"], trained.record["measured"]["all"]
    assert (steps["taken"], steps["best"]) == (3, 1)
    assert [each["step"] for each in made] == [1, 2, 3]
    # Each step changes all biases, if only by a billionth: what came out is the best state.
    assert _is_state(1)
    assert not _is_state(3)
    before = Path("out/training.json").read_bytes()
    assert train(slow) == trained
    with pytest.raises(OutputMismatchError, match=r"training\.steps: 40 -> 2"):
        train(config(validation=measured, training={"steps": 2, "learning_rate": 1e-9}))
    assert Path("out/training.json").read_bytes() == before
    # Killed before it wrote that, and the best state has been damaged since.
    Path("out/training.json").unlink()
    shutil.rmtree("out/model")
    Path("out/states/step-00000001.pt").write_bytes(b"")
    record = train(slow).record
    assert (record["steps"]["best"], record["measured"]["best"]["step"]) == (2, 2)
    assert record["measured"]["damaged"] == [1]
    assert _is_state(2)


def _is_state(step):
    """Return whether the model that came out has the weights of a state."""
    state = torch.load(f"out/states/step-{step:08d}.pt", weights_only=True)["parameters"]
    model = MBartForConditionalGeneration.from_pretrained("out/model")
    return all(torch.equal(state[name], value) for name, value in model.named_parameters())


@pytest.mark.timeout(200)  # a fault that comes again is not waited for a thousand times
def test_columns_that_are_not_there_and_rows_without_text_are_told():
    with pytest.raises(
        SourceError, match=r"no column 'gloss'; set data\[0\]\.english or data\[0\]\.gloss to"
    ):
        train(config(data=[{"paths": "train.parquet", "gloss": "gloss"}]))
    empty = pa.table({"source": ["A cat."], "target": pa.array([None], pa.string())})
    pq.write_table(empty, "none.parquet")
    with pytest.raises(SourceError, match="no row has text in both 'source' and 'target'"):
        train(config("other", data=[{"paths": "none.parquet"}], run={"max_failures": 1_000}))
