"""The configuration of the score job."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from aslbatch.config.section import Location, Section, StorageOptions, Text
from aslbatch.config.translate import (
    BatchingSection,
    DecodingSection,
    ModelSection,
    RunSection,
    TranslateConfig,
)

Direction = Literal["into_gloss", "into_english"]


def _as_list(ids: object) -> object:
    return [str(each) for each in ids] if isinstance(ids, list) else ids


class PairsSection(Section):
    """Sentences with their translations by people, or by rules."""

    paths: Location | list[Location] = Field(
        description="Files, folders, globs or URLs: one, or a list of them."
    )
    format: Literal["auto", "parquet", "arrow", "jsonl", "csv", "tsv"] = Field(
        default="auto", description="Format of every path; auto goes by each file's extension."
    )
    english: Text = Field(default="english", description="Column that holds the English.")
    gloss: Text = Field(default="gloss", description="Column that holds the gloss.")
    id: Text | None = Field(
        default=None, description="Column that names a row, for exclude_ids; null for none."
    )
    exclude_ids: Annotated[list[Text], BeforeValidator(_as_list)] = Field(
        default_factory=list,
        description="Rows that are not scored, such as examples that a teacher was shown.",
    )
    expected_rows: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Rows that must be left to score; null for any number."
    )
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the pairs' file system; never logged.",
    )


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
    directions: Annotated[list[Direction], Field(min_length=1)] = Field(
        default=["into_gloss", "into_english"], description="Which ways to score."
    )
    model: ModelSection = Field(description="Which model translates, and how it runs.")
    decoding: DecodingSection = Field(
        default_factory=DecodingSection, description="How a translation is searched for."
    )
    batching: BatchingSection = Field(
        default_factory=BatchingSection, description="How sentences are put together."
    )
    samples: int = Field(
        default=1_000, ge=100, description="Samples of rows from which an interval is read."
    )
    sink: ScoreSinkSection = Field(description="Where translations and scores go.")
    run: RunSection = Field(
        default_factory=RunSection, description="How the work is spread over the cluster."
    )

    def text_column(self, direction: Direction) -> str:
        """Return the column that is translated."""
        return self.pairs.english if direction == "into_gloss" else self.pairs.gloss

    def reference_column(self, direction: Direction) -> str:
        """Return the column that holds what it should become."""
        return self.pairs.gloss if direction == "into_gloss" else self.pairs.english

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
            "sink": {
                "path": f"{self.sink.path.rstrip('/')}/{direction}",
                "storage_options": self.sink.storage_options,
            },
            "run": self.run,
        }
        return TranslateConfig.model_validate(values)
