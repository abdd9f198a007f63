"""The sections that the configurations of all jobs with a model share."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from aslbatch.config.section import (
    AutoOrCount,
    AutoOrSwitch,
    Location,
    Section,
    StorageOptions,
    Text,
)
from aslbatch.models.decoding import TARGET_RATIO


class ModelSection(Section):
    """Which model translates, and how it runs."""

    name: Location = Field(
        description="A Hub id, a local folder, a URL, or demo for the packaged model."
    )
    revision: Text | None = Field(
        default=None,
        description="Commit of a Hub model; pin it, or two runs may use different weights.",
    )
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the model's file system; never logged.",
    )
    engine: Literal["auto", "ctranslate2", "transformers", "cuda"] = Field(
        default="auto",
        description="What runs the model; auto takes the fastest that can do what is asked.",
    )
    precision: Literal["auto", "int8", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="Number format of the weights; auto goes by the hardware."
    )
    shortlist: Text = Field(
        default="auto",
        description="Tokens that may be generated: auto, off, latin, ascii, or a file of text.",
    )


class DecodingSection(Section):
    """How a translation is searched for."""

    num_beams: int = Field(default=4, ge=1, description="Beams of the search; 1 is greedy.")
    max_length: int = Field(
        default=128,
        ge=3,
        description="Most tokens of a source and of a translation, special ones too.",
    )
    length_penalty: float = Field(
        default=1.0,
        description="Exponent of the length that scores are divided by; above 0 favors long.",
    )
    do_sample: bool = Field(
        default=False, description="Draw tokens at random instead of taking the best."
    )
    num_return_sequences: int = Field(
        default=1, ge=1, description="Hypotheses kept a row; above 1 adds the column alternatives."
    )
    temperature: float = Field(
        default=1.0,
        gt=0,
        description="Sharpness of sampling: below 1 is safer, above 1 more varied.",
    )
    top_k: int = Field(
        default=0, ge=0, description="Sample from the k likeliest tokens only; 0 is off."
    )
    top_p: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Sample from the likeliest tokens of this total probability.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of sampling.")

    @field_validator("num_return_sequences")
    @classmethod
    def _fits_the_beams(cls, count: int, info: ValidationInfo) -> int:
        num_beams = info.data.get("num_beams")
        sampled_alone = info.data.get("do_sample") is True and num_beams == 1
        if num_beams is not None and count > num_beams and not sampled_alone:
            raise ValueError(
                f"is {count}, but {num_beams} beams give {num_beams} hypotheses; raise "
                "decoding.num_beams, or sample with decoding.num_beams 1"
            )
        return count


class BatchingSection(Section):
    """How sentences are put together for the model."""

    max_tokens: AutoOrCount = Field(
        default="auto",
        description="Most tokens of a batch, padding included; auto measures, or suits the device.",
    )
    target_ratio: Annotated[float, Field(gt=0)] | None = Field(
        default=TARGET_RATIO,
        description="Target tokens a source token that are searched first; changes no result.",
    )


class NormalizeSection(Section):
    """How the text is cleaned before it is translated."""

    unescape_entities: bool = Field(
        default=True, description="Turn &amp; and the like into characters."
    )
    fix_mojibake: bool = Field(
        default=True, description="Repair text read in the wrong encoding, such as cafÃ©."
    )
    strip_markup: AutoOrSwitch = Field(
        default="auto", description="Drop subtitle and HTML tags; auto spares gloss, as in <T>."
    )
    fold_punctuation: bool = Field(
        default=True, description="Make curly quotes and the ellipsis plain; dashes stay."
    )
    strip_control: bool = Field(default=True, description="Drop control and zero-width characters.")
    nfkc: bool = Field(
        default=True, description="Apply Unicode's compatibility normalization, NFKC."
    )
    strip_sounds: AutoOrSwitch = Field(
        default="auto", description="Drop sound captions such as [SIGHS]; auto spares gloss."
    )
    strip_music: AutoOrSwitch = Field(
        default="auto",
        description="Drop music notes, and the # around sung lines; auto spares gloss.",
    )
    strip_speakers: AutoOrSwitch = Field(
        default="auto", description="Drop leading labels such as JOHN: and >>; auto spares gloss."
    )
    strip_dashes: AutoOrSwitch = Field(
        default="auto",
        description="Drop the dash that begins a line of dialogue; auto spares gloss.",
    )
    max_characters: int = Field(
        default=10_000, ge=1, description="Reject rows whose text is longer than this."
    )

    def rules(self, *, gloss: bool = False) -> dict[str, Any]:
        """Return the section with `auto` resolved: off for gloss, on for all other text.

        Brackets, colons, dashes and `#` are marks of captions, but part of gloss: `[MULT]` repeats
        a sign, `CL:` begins a classifier, `#JOHN` is fingerspelled, `<T>` is a topic.
        """
        values = self.model_dump()
        return {key: not gloss if value == "auto" else value for key, value in values.items()}


class QualitySection(Section):
    """What is checked while the job runs, and when it is halted."""

    audited_share: float = Field(
        default=0.001,
        ge=0,
        le=1,
        description="Share of texts translated without the shortlist too; a few of any run.",
    )
    min_shortlist_agreement: float = Field(
        default=0.98,
        ge=0,
        le=1,
        description="Halt when the sample shows that fewer translations are the same.",
    )


class RunSection(Section):
    """How the work is spread and when it is given up; none of it changes a translation."""

    workers: AutoOrCount = Field(
        default="auto", description="Model replicas; auto fills the cluster."
    )
    cpus_per_worker: Literal["auto"] | Annotated[float, Field(gt=0)] = Field(
        default="auto", description="CPUs reserved for each replica."
    )
    gpus_per_worker: Literal["auto"] | Annotated[float, Field(ge=0)] = Field(
        default="auto",
        description="GPUs reserved for each replica; auto takes one where there are any.",
    )
    shard_rows: AutoOrCount = Field(
        default="auto", description="Rows of a shard, the unit of resuming."
    )
    max_failed_rows: float = Field(
        default=0.01, ge=0, le=1, description="Share of failed rows above which the job fails."
    )
    shard_timeout_s: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Seconds after which a shard is given up; null waits forever."
    )
    price_per_worker_hour: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="What a worker costs an hour, for --dry-run; in any currency."
    )
    max_attempts: int = Field(
        default=3, ge=1, description="Times a shard may kill its worker before it is set aside."
    )
