"""The configuration of the pseudogloss job."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from aslbatch.config.model_sections import NormalizeSection
from aslbatch.config.section import AutoOrCount, Location, Paths, Section, StorageOptions, Text
from aslbatch.config.teacher import TeacherSection
from aslbatch.config.translate import SinkSection, SourceSection

Price = Annotated[float, Field(ge=0)]


class PromptSection(Section):
    """What a teacher is told."""

    instructions: Location | None = Field(
        default=None, description="A file of text; null for the instructions of this project."
    )
    examples: Location | None = Field(
        default=None, description="A table of sentences with their glosses; null for none."
    )
    format: Literal["auto", "parquet", "arrow", "jsonl", "csv", "tsv"] = Field(
        default="auto", description="Format of the examples; auto goes by the extension."
    )
    id: Text = Field(default="id", description="Column that names an example.")
    english: Text = Field(default="source", description="Column that holds the English.")
    gloss: Text = Field(default="target", description="Column that holds the gloss.")
    selection: Literal["first", "random", "nearest"] = Field(
        default="first", description="Which are shown: the first, a draw, or those like the text."
    )
    count: int = Field(default=20, ge=0, description="How many are shown.")
    seed: int = Field(default=0, ge=0, description="Seed of the draw.")
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the file system of both files; never logged.",
    )


class PriceSection(Section):
    """What a model costs: for batches, those of batches, which are lower."""

    input: Price = Field(description="Price of a million input tokens.")
    output: Price = Field(description="Price of a million output tokens, thoughts included.")


class CostSection(Section):
    """What it may cost."""

    prices: dict[Text, PriceSection] = Field(
        default_factory=dict, description="Prices by the names of models; others are unknown."
    )
    currency: Text = Field(default="USD", description="Currency of the prices.")
    max_cost: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Nothing is asked that could cost more; null for no limit."
    )


class GoldSection(Section):
    """Sentences with authentic gloss, on which the teacher is measured."""

    paths: Paths = Field(description="Files, folders, globs or URLs: one, or a list of them.")
    format: Literal["auto", "parquet", "arrow", "jsonl", "csv", "tsv"] = Field(
        default="auto", description="Format of every path; auto goes by each file's extension."
    )
    id: Text = Field(default="id", description="Column that names a row: examples are left out.")
    english: Text = Field(default="source", description="Column that holds the English.")
    gloss: Text = Field(default="target", description="Column that holds the gloss.")
    rows: int = Field(default=200, ge=1, description="Most rows asked, spread over the set.")
    storage_options: StorageOptions = Field(
        default_factory=dict, repr=False, description="Arguments of the file system; never logged."
    )


class LabelRunSection(Section):
    """How the service is asked and when it is given up; none of it changes a prompt."""

    shard_rows: AutoOrCount = Field(default="auto", description="Rows of a shard of the output.")
    max_failed_rows: float = Field(
        default=0.01, ge=0, le=1, description="Share of failed rows above which the job fails."
    )
    max_attempts: int = Field(
        default=3, ge=1, description="Times that a text is asked for before its rows are rejected."
    )
    min_usable_share: float = Field(
        default=0.5, ge=0, le=1, description="Halt when fewer answers are usable, twice in a row."
    )
    job_requests: int = Field(default=5_000, ge=1, description="Most requests of a batch job.")
    max_jobs: int = Field(default=4, ge=1, description="Batch jobs under way at a time.")
    poll_s: float = Field(default=60.0, gt=0, description="Seconds between looks at batch jobs.")
    patience_s: float = Field(
        default=3_600.0, ge=0, description="Seconds for which faults that pass are waited out."
    )
    give_up_lost_jobs: bool = Field(
        default=False,
        description="Ask, and perhaps pay, again for jobs that the service does not know or list.",
    )
    concurrency: int = Field(default=16, ge=1, description="Chat requests under way at a time.")
    requests_per_minute: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Most chat requests a minute; null for any number."
    )
    timeout_s: float = Field(default=120.0, gt=0, description="Seconds a chat answer may take.")


class PseudoglossConfig(Section):
    """Have a teacher, a large language model, gloss a corpus of English."""

    source: SourceSection = Field(description="What to gloss.")
    teacher: TeacherSection = Field(description="Who is asked.")
    prompt: PromptSection = Field(default_factory=PromptSection, description="What it is told.")
    normalize: NormalizeSection = Field(
        default_factory=NormalizeSection, description="How the text is cleaned first."
    )
    cost: CostSection = Field(default_factory=CostSection, description="What it may cost.")
    gold: GoldSection | None = Field(
        default=None, description="Authentic gloss to measure the teacher on; null for none."
    )
    compare_with: Location | None = Field(
        default=None, description="Output of another teacher on the same texts; null for none."
    )
    sink: SinkSection = Field(description="Where the glosses go.")
    run: LabelRunSection = Field(
        default_factory=LabelRunSection, description="How the service is asked."
    )

    @field_validator("cost")
    @classmethod
    def _has_price(cls, cost: CostSection, info: ValidationInfo) -> CostSection:
        teacher = info.data.get("teacher")
        if cost.max_cost is not None and teacher and teacher.model not in cost.prices:
            raise ValueError(f"max_cost needs the price of {teacher.model} in cost.prices")
        return cost

    def normalize_rules(self) -> dict[str, Any]:
        """Return the section `normalize` with `auto` resolved, which is on for English."""
        return self.normalize.rules()
