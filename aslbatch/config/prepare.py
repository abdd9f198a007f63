"""The configuration of the prepare job."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from aslbatch.config.dataset_sections import DatasetSection
from aslbatch.config.model_sections import NormalizeSection
from aslbatch.config.section import Location, Paths, Section, SplitName, StorageOptions, Text

Similarity = Annotated[float, Field(ge=0.5, le=1)]


class DuplicatesSection(Section):
    """Which rows of a split say the same, so that only the first is kept."""

    exact: bool = Field(
        default=True, description="Keep one of the rows with equal English and equal gloss."
    )
    near: Similarity | None = Field(
        default=None,
        description="Keep one of the rows whose texts are at least so similar; null for all.",
    )
    across_datasets: bool = Field(
        default=True, description="Compare rows of different data sets too; the first listed wins."
    )


class ExcludedSection(Section):
    """English sentences that no split which is not protected may have."""

    paths: Paths = Field(description="Files, folders, globs or URLs: one, or a list of them.")
    format: Literal["auto", "parquet", "arrow", "jsonl", "csv", "tsv", "text"] = Field(
        default="auto", description="Format of every path; auto goes by each file's extension."
    )
    column: Text = Field(
        default="text", description="Column that holds the English; any name for text files."
    )
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the files' file system; never logged.",
    )


class LeakageSection(Section):
    """Which sentences must stay out of which splits."""

    protect: list[SplitName] = Field(
        default=["test", "validation"],
        description="Splits whose sentences no later one, nor any other split, may have.",
    )
    near: Similarity | None = Field(
        default=0.9,
        description="Sentences at least so similar count as the same; null for equal ones only.",
    )
    exclude: list[ExcludedSection] = Field(
        default_factory=list,
        description="Further sentences to keep out of the splits that are not protected.",
    )

    @field_validator("protect")
    @classmethod
    def _are_distinct(cls, splits: list[str]) -> list[str]:
        if len(set(splits)) < len(splits):
            raise ValueError("names a split twice")
        return splits


class PrepareSinkSection(Section):
    """Where the prepared rows go."""

    path: Location = Field(description="Output folder or URL.")
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the output's file system; never logged.",
    )


class PrepareConfig(Section):
    """Bring data sets of English and gloss into one form, without duplicates and leaks."""

    datasets: Annotated[list[DatasetSection], Field(min_length=1)] = Field(
        description="What to read. Of equal rows the one of the first data set is kept."
    )
    normalize: NormalizeSection = Field(
        default_factory=NormalizeSection, description="How the English is cleaned."
    )
    duplicates: DuplicatesSection = Field(
        default_factory=DuplicatesSection, description="Which rows say the same."
    )
    leakage: LeakageSection = Field(
        default_factory=LeakageSection, description="Which sentences stay out of which splits."
    )
    sink: PrepareSinkSection = Field(description="Where the prepared rows go.")

    def normalize_rules(self) -> dict[str, Any]:
        """Return the section `normalize` with `auto` resolved, which is on for English."""
        return self.normalize.rules()
