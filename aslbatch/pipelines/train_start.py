"""What a training starts from: the checkpoint, what is trained of it, and how."""

import tempfile
from pathlib import Path
from typing import Literal

import torch

from aslbatch.errors import ConfigError
from aslbatch.models.checkpoint import Checkpoint, find_checkpoint
from aslbatch.models.loading import load_model
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.train_data import Pairs
from aslbatch.pipelines.train_settings import TrainSettings
from aslbatch.shards.layout import TRAINING_START
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE
from aslbatch.training.adapter import Adapter
from aslbatch.training.learner import Learner, WholeModel
from aslbatch.training.loop import Recipe
from aslbatch.training.start import write_new, write_with_gloss
from aslbatch.training.world import World


def recipe_of(settings: TrainSettings, steps: int) -> Recipe:
    """Return how weights are changed in so many steps."""
    training = settings.config.training
    return Recipe(
        steps=steps,
        learning_rate=training.learning_rate,
        schedule=training.schedule,
        warmup_steps=round(training.warmup * steps),
        weight_decay=training.weight_decay,
        beta2=training.beta2,
        max_grad_norm=training.max_grad_norm,
        piece_tokens=training.piece_tokens,
        precision=_precision(settings),
        seed=training.seed,
    )


def _precision(settings: TrainSettings) -> Literal["float32", "bfloat16"]:
    """Return what is multiplied in."""
    wanted = settings.config.training.precision
    if wanted != "auto":
        return wanted
    on_gpu = settings.device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if on_gpu else "float32"


def start_checkpoint(settings: TrainSettings, world: World, pairs: list[Pairs]) -> Checkpoint:
    """Return the checkpoint to start from; it is made where needed.

    Raises:
        ModelError: There is no such checkpoint.
        ConfigError: A vocabulary of the size wanted cannot be learned.
    """
    if settings.start is not None and settings.has_gloss:
        return _given(settings, settings.start)
    storage = settings.storage.below(TRAINING_START)
    if world.rank == 0 and not storage.exists("config.json"):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / TRAINING_START
            _make_start(settings, pairs, out)
            # Read last by those who look for it, so written last.
            config = (out / "config.json").read_bytes()
            (out / "config.json").unlink()
            settings.storage.publish_folder(TRAINING_START, out)
            storage.publish("config.json", config)
    world.wait()
    options = settings.config.sink.storage_options
    return find_checkpoint(storage.location, storage_options=options)


def _given(settings: TrainSettings, name: str) -> Checkpoint:
    """Return the checkpoint that the configuration names."""
    return find_checkpoint(
        name, revision=settings.start_revision, storage_options=settings.start_options
    )


def _make_start(settings: TrainSettings, pairs: list[Pairs], out: Path) -> None:
    """Write the checkpoint: that of the configuration with the code for gloss, or a new one."""
    new, training = settings.config.start.new, settings.config.training
    if new is None:
        write_with_gloss(_given(settings, settings.start or "").folder, out)
        return
    shape = new.model_dump(exclude={"vocabulary", "dropout"})
    try:
        write_new(
            [text for each in pairs for text in (*each.english, *each.gloss)],
            out,
            vocabulary=new.vocabulary,
            shape={**shape, "max_positions": max(256, training.max_length)},
            dropout=new.dropout,
            seed=training.seed,
        )
    except ValueError as error:
        raise ConfigError(f"start.new.vocabulary: {error}; lower it") from error


def learner_of(settings: TrainSettings, start: Checkpoint) -> tuple[Learner, Tokenizer]:
    """Return what is trained of a checkpoint, and its tokenizer.

    Raises:
        ModelError: It cannot be loaded.
    """
    method, training = settings.config.method, settings.config.training
    frozen = method.kind == "lora"
    loaded = load_model(
        start.folder,
        languages=(ENGLISH_CODE, GLOSS_CODE),
        precision=_precision(settings) if frozen else "float32",
        device=settings.device,
    )
    if not frozen:
        return WholeModel(loaded.model), loaded.tokenizer
    adapter = Adapter(
        loaded.model,
        base=start.name,
        revision=start.revision or None,
        token_id=loaded.tokenizer.language_id(GLOSS_CODE),
        rank=method.rank,
        alpha=method.alpha,
        dropout=method.dropout,
        seed=training.seed,
    )
    return adapter, loaded.tokenizer
