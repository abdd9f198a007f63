"""The configuration of the score job."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from aslbatch.config.model_sections import (
    BatchingSection,
    DecodingSection,
    ModelSection,
    NormalizeSection,
    QualitySection,
    RunSection,
)
from aslbatch.config.section import Ids, Location, Paths, Section, StorageOptions, Text
from aslbatch.config.translate import TranslateConfig
from aslbatch.evaluation.published import PUBLISHED

Direction = Literal["into_gloss", "into_english"]


def _distinct(directions: list[Direction]) -> list[Direction]:
    if len(set(directions)) < len(directions):
        raise ValueError("names a direction twice")
    return directions


Directions = Annotated[list[Direction], Field(min_length=1), AfterValidator(_distinct)]


class PairsSection(Section):
    """Sentences with their translations by people, or by rules."""

    paths: Paths = Field(description="Files, folders, globs or URLs: one, or a list of them.")
    format: Literal["auto", "parquet", "arrow", "jsonl", "csv", "tsv"] = Field(
        default="auto", description="Format of every path; auto goes by each file's extension."
    )
    english: Text = Field(default="english", description="Column that holds the English.")
    gloss: Text = Field(
        default="gloss", description="Column that holds the gloss.", validate_default=True
    )
    id: Text | None = Field(
        default=None, description="Column that names a row, for exclude_ids; null for none."
    )
    exclude_ids: Ids = Field(
        default_factory=list,
        description="Rows that are not scored, such as examples that a teacher was shown.",
    )
    exclude_examples_of: Location | None = Field(
        default=None,
        description="Output of a pseudogloss job, whose few-shot examples are not scored either.",
    )
    expected_rows: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Rows that must be left to score; null for any number."
    )
    known_set: Literal["flores_asl_dev"] | None = Field(
        default=None,
        description="Set whose published scores are shown too; its number of rows is checked.",
    )
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the pairs' file system; never logged.",
    )

    @field_validator("english", "gloss", "id")
    @classmethod
    def _is_no_path(cls, name: str | None) -> str | None:
        if name is not None and "." in name:
            raise ValueError(f"{name} reaches into a struct; make it a column of its own first")
        return name

    @field_validator("gloss")
    @classmethod
    def _differs_from_english(cls, gloss: str, info: ValidationInfo) -> str:
        if gloss == info.data.get("english"):
            raise ValueError(f"{gloss} is the column of pairs.english too")
        return gloss

    @field_validator("exclude_ids")
    @classmethod
    def _has_ids(cls, ids: list[str], info: ValidationInfo) -> list[str]:
        if ids and info.data.get("id") is None:
            raise ValueError("needs pairs.id, the column that holds the ids")
        return ids

    @field_validator("exclude_examples_of")
    @classmethod
    def _has_id_column(cls, folder: str | None, info: ValidationInfo) -> str | None:
        if folder is not None and info.data.get("id") is None:
            raise ValueError("needs pairs.id, the column that holds the ids")
        return folder

    @field_validator("known_set")
    @classmethod
    def _has_the_rows_expected(cls, name: str | None, info: ValidationInfo) -> str | None:
        expected = info.data.get("expected_rows")
        if name is not None and expected not in (None, PUBLISHED[name].rows):
            raise ValueError(
                f"{name} has {PUBLISHED[name].rows} rows, but pairs.expected_rows is {expected}; "
                f"drop one of the two"
            )
        return name

    @property
    def rows_to_score(self) -> int | None:
        """How many rows must be left to score, None for any number."""
        return PUBLISHED[self.known_set].rows if self.known_set else self.expected_rows


class ScoreSinkSection(Section):
    """Where translations and scores go."""

    path: Location = Field(description="Output folder or URL.")
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the output's file system; never logged.",
    )


class ScoreConfig(Section):
    """Translate an evaluation set and score the translations, both ways."""

    pairs: PairsSection = Field(description="What to translate, and what it should become.")
    directions: Directions = Field(
        default=["into_gloss", "into_english"], description="Which ways to score."
    )
    model: ModelSection = Field(description="Which model translates, and how it runs.")
    decoding: DecodingSection = Field(
        default_factory=DecodingSection, description="How a translation is searched for."
    )
    batching: BatchingSection = Field(
        default_factory=BatchingSection, description="How sentences are put together."
    )
    normalize: NormalizeSection = Field(
        default_factory=NormalizeSection, description="How the text is cleaned first."
    )
    quality: QualitySection = Field(
        default_factory=QualitySection, description="What is checked while the job runs."
    )
    resamples: int = Field(
        default=1_000,
        ge=100,
        description="Samples of rows from which intervals and p values are read.",
    )
    sink: ScoreSinkSection = Field(description="Where translations and scores go.")
    compare_with: Location | None = Field(
        default=None,
        description="Output of a score job of the same pairs by another system, to test against.",
    )
    run: RunSection = Field(
        default_factory=RunSection, description="How the work is spread over the cluster."
    )

    @field_validator("compare_with")
    @classmethod
    def _is_another_output(cls, folder: str | None, info: ValidationInfo) -> str | None:
        sink = info.data.get("sink")
        if folder is not None and sink is not None and folder.rstrip("/") == sink.path.rstrip("/"):
            raise ValueError(f"{folder} is sink.path too; name the output of another system")
        return folder

    def text_column(self, direction: Direction) -> str:
        """Return the column that is translated."""
        return self.pairs.english if direction == "into_gloss" else self.pairs.gloss

    def translation(self, direction: Direction) -> TranslateConfig:
        """Return the configuration of the job that translates one way."""
        source, target = ("en", "ase") if direction == "into_gloss" else ("ase", "en")
        columns = {self.pairs.english, self.pairs.gloss, self.pairs.id} - {None}
        values: dict[str, Any] = {
            "source": {
                "paths": self.pairs.paths,
                "format": self.pairs.format,
                "text_column": self.text_column(direction),
                "columns": sorted(map(str, columns)),
                "storage_options": self.pairs.storage_options,
            },
            "languages": {"source": source, "target": target},
            "model": self.model,
            "decoding": self.decoding,
            "batching": self.batching,
            "normalize": self.normalize,
            "quality": self.quality,
            "sink": {
                "path": f"{self.sink.path.rstrip('/')}/{direction}",
                "storage_options": self.sink.storage_options,
            },
            "run": self.run,
        }
        return TranslateConfig.model_validate(values)
