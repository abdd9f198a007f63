"""The configuration of the train job."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from aslbatch.config.score import Direction, Directions
from aslbatch.config.section import AutoOrCount, Location, Paths, Section, StorageOptions, Text

_BOTH: list[Direction] = ["into_gloss", "into_english"]


class DataSection(Section):
    """Pairs of English and gloss, and how they are used."""

    paths: Paths = Field(description="Files, folders, globs or URLs: one, or a list of them.")
    english: Text = Field(default="source", description="Column that holds the English.")
    gloss: Text = Field(default="target", description="Column that holds the gloss.")
    where: dict[Text, Text] = Field(
        default_factory=dict,
        description="Use only rows whose columns hold these texts, such as {split: train}.",
    )
    directions: Directions = Field(default=_BOTH, description="Which ways they are translated.")
    times: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="How often each pair is seen in an epoch: mixes sets of data."
    )
    tag: Text | None = Field(
        default=None,
        description="Column whose text is put before each input; null for none.",
    )
    license: Text | None = Field(
        default=None, description="License of the pairs, which goes into the model's card."
    )
    storage_options: StorageOptions = Field(
        default_factory=dict, repr=False, description="Arguments of the file system; never logged."
    )


class ValidationSection(Section):
    """When the model in training is measured, and when it is good enough."""

    paths: Paths = Field(description="Pairs that are not trained on.")
    english: Text = Field(default="source", description="Column that holds the English.")
    gloss: Text = Field(default="target", description="Column that holds the gloss.")
    where: dict[Text, Text] = Field(
        default_factory=dict,
        description="Use only rows whose columns hold these texts, such as {split: train}.",
    )
    directions: Directions = Field(default=_BOTH, description="Which ways are measured.")
    rows: int = Field(default=1_000, ge=1, description="Most rows used, spread over the set.")
    every_steps: Literal["epoch"] | Annotated[int, Field(ge=1)] = Field(
        default="epoch", description="Steps between measurements."
    )
    score: Literal["chrf", "token_f1"] = Field(
        default="chrf", description="What decides, as the mean of both directions."
    )
    patience: Annotated[int, Field(ge=1)] | None = Field(
        default=3, description="Stop after so many measurements without a new best; null for never."
    )
    num_beams: int = Field(default=1, ge=1, description="Beams of the translations measured.")
    storage_options: StorageOptions = Field(
        default_factory=dict, repr=False, description="Arguments of the file system; never logged."
    )


class NewModelSection(Section):
    """A model with random weights, and a vocabulary learned from the training data."""

    vocabulary: int = Field(ge=64, description="Pieces of the vocabulary.")
    d_model: int = Field(default=256, ge=8, description="Width of the model.")
    layers: int = Field(default=3, ge=1, description="Layers of encoder and decoder, each.")
    heads: int = Field(default=4, ge=1, description="Attention heads a layer.")
    ffn_dim: int = Field(default=1_024, ge=8, description="Width of feed-forward blocks.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Of activations, in training.")

    @field_validator("heads")
    @classmethod
    def _divides_the_width(cls, heads: int, info: ValidationInfo) -> int:
        if (width := info.data.get("d_model")) is not None and width % heads:
            raise ValueError(f"is {heads}, which does not divide d_model {width}")
        return heads


class StartSection(Section):
    """What training starts from: a checkpoint, or a new model."""

    name: Location | None = Field(
        default=None, description="A Hub id, a local folder, a URL, or demo; null for a new model."
    )
    revision: Text | None = Field(default=None, description="Commit of a Hub model; pin it.")
    new: NewModelSection | None = Field(
        default=None,
        description="Shape of a new model; null to start from a checkpoint.",
        validate_default=True,
    )
    storage_options: StorageOptions = Field(
        default_factory=dict, repr=False, description="Arguments of the file system; never logged."
    )

    @field_validator("new")
    @classmethod
    def _is_one_of_two(
        cls, new: NewModelSection | None, info: ValidationInfo
    ) -> NewModelSection | None:
        if (new is None) == (info.data.get("name") is None):
            raise ValueError("give either start.name or start.new")
        return new


class MethodSection(Section):
    """What is trained."""

    kind: Literal["lora", "full"] = Field(
        default="lora",
        description="An adapter and the embedding of asl_GL, or all parameters.",
    )
    rank: int = Field(default=16, ge=1, description="Inner width of the adapter's matrices.")
    alpha: int = Field(default=32, ge=1, description="Their product is scaled by alpha / rank.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Of the adapter's inputs.")


class TrainingSection(Section):
    """How weights are changed."""

    epochs: Annotated[int, Field(ge=1)] | None = Field(
        default=3, description="Times that the data are gone through; null to give steps."
    )
    steps: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Optimizer steps; null to give epochs.", validate_default=True
    )
    batch_examples: Annotated[int, Field(ge=1)] | None = Field(
        default=32, description="Most examples of an optimizer step; null for any number."
    )
    batch_tokens: int = Field(
        default=16_384, ge=8, description="Most padded tokens of a step, both sides together."
    )
    piece_tokens: int = Field(
        default=8_192,
        ge=8,
        description="Most padded tokens at once; larger steps are added up. Less saves memory.",
    )
    max_length: int = Field(
        default=128, ge=3, description="Pairs with more tokens on a side are left out."
    )
    learning_rate: float = Field(default=5e-4, gt=0, description="At its peak.")
    schedule: Literal["linear", "cosine"] = Field(
        default="linear", description="How it falls to 0 after the peak."
    )
    warmup: float = Field(
        default=0.05, ge=0, le=1, description="Share of the steps before the peak."
    )
    weight_decay: float = Field(default=0.0, ge=0, description="Of AdamW.")
    beta2: float = Field(default=0.999, gt=0, lt=1, description="Of AdamW; beta1 is 0.9.")
    max_grad_norm: float = Field(default=1.0, gt=0, description="Longer gradients are cut.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="What is multiplied in; auto is bfloat16 where a GPU has it."
    )
    seed: int = Field(default=13, ge=0, description="Decides order, dropout and new weights.")

    @field_validator("steps")
    @classmethod
    def _is_one_of_two(cls, steps: int | None, info: ValidationInfo) -> int | None:
        if (steps is None) == (info.data.get("epochs") is None):
            raise ValueError("give either training.epochs or training.steps, the other as null")
        return steps


class TrainSinkSection(Section):
    """Where adapter or model go."""

    path: Location = Field(description="Output folder or URL.")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32", description="Number format of a whole model; adapters are float32."
    )
    storage_options: StorageOptions = Field(
        default_factory=dict, repr=False, description="Arguments of the file system; never logged."
    )


class TrainRunSection(Section):
    """How the work is spread; none of it changes what is trained but for rounding and dropout."""

    workers: AutoOrCount = Field(
        default="auto", description="Processes that share each step; auto takes all GPUs, or one."
    )
    cpus_per_worker: AutoOrCount = Field(
        default="auto", description="CPUs of each; auto shares out those that there are."
    )
    gpus_per_worker: Literal["auto", 0, 1] = Field(
        default="auto", description="GPUs of each; auto takes one where there are any."
    )
    checkpoint_every_steps: int = Field(
        default=500, ge=1, description="Steps between states that a crash can be resumed from."
    )
    max_failures: int = Field(
        default=3, ge=0, description="Times that workers may die before the job gives up."
    )


class TrainConfig(Section):
    """Train a model on pairs of English and gloss."""

    data: Annotated[list[DataSection], Field(min_length=1)] = Field(
        description="What is trained on."
    )
    validation: ValidationSection | None = Field(
        default=None, description="How it is measured meanwhile; null for not at all."
    )
    start: StartSection = Field(description="What training starts from.")
    method: MethodSection = Field(default_factory=MethodSection, description="What is trained.")
    training: TrainingSection = Field(
        default_factory=TrainingSection, description="How weights are changed."
    )
    sink: TrainSinkSection = Field(description="Where the result goes.")
    run: TrainRunSection = Field(
        default_factory=TrainRunSection, description="How the work is spread."
    )

    @field_validator("method")
    @classmethod
    def _suits_the_start(cls, method: MethodSection, info: ValidationInfo) -> MethodSection:
        start = info.data.get("start")
        if start is not None and start.new is not None and method.kind == "lora":
            raise ValueError("an adapter on random weights learns little; set method.kind to full")
        return method
