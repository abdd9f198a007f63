"""The configuration of the translate job."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from aslbatch.config.model_sections import (
    BatchingSection,
    DecodingSection,
    ModelSection,
    NormalizeSection,
    QualitySection,
    RunSection,
)
from aslbatch.config.section import (
    Location,
    Paths,
    Section,
    StorageOptions,
    Text,
)
from aslbatch.text.languages import GLOSS_CODE, mbart_code


class SourceSection(Section):
    """What to translate."""

    paths: Paths = Field(
        description="Files, folders, globs, archives or URLs: one, or a list of them."
    )
    format: Literal[
        "auto", "parquet", "arrow", "jsonl", "csv", "tsv", "text", "tmx", "srt", "vtt", "ass"
    ] = Field(
        default="auto", description="Format of every path; auto goes by each file's extension."
    )
    text_column: Text = Field(
        default="text", description="Column that holds the text to translate."
    )
    subtitle_rows: Literal["cue", "turn", "sentence"] = Field(
        default="turn",
        description="A row is a cue, what one speaker says in it (turn), or a sentence.",
    )
    columns: Literal["all"] | list[Text] = Field(
        default="all", description="Source columns kept in the output: all, or a list of names."
    )
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the source's file system; never logged.",
    )
    license: Text | None = Field(
        default=None,
        description="License of the texts, as the Hugging Face Hub writes it, for the data card.",
    )


class LanguagesSection(Section):
    """Which way to translate."""

    source: Text = Field(
        default="en", description="Language of the source: en, ase or an mBART-50 code."
    )
    target: Text = Field(
        default="ase",
        description="Language to translate into: en, ase or an mBART-50 code.",
        validate_default=True,
    )

    @field_validator("target")
    @classmethod
    def _differs_from_source(cls, target: str, info: ValidationInfo) -> str:
        source = info.data.get("source")
        if source is not None and mbart_code(source) == mbart_code(target):
            raise ValueError(f"{target} is the language of languages.source too")
        return target


class SinkSection(Section):
    """Where the translations go."""

    path: Location = Field(description="Output folder or URL.")
    format: Literal["parquet", "jsonl"] = Field(
        default="parquet", description="Format of the data files: Parquet, or one JSON a line."
    )
    compression: Literal["zstd", "snappy", "none"] = Field(
        default="zstd", description="Compression of the data files; snappy is for Parquet only."
    )
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the output's file system; never logged.",
    )

    @field_validator("compression")
    @classmethod
    def _suits_the_format(cls, compression: str, info: ValidationInfo) -> str:
        if compression == "snappy" and info.data.get("format") == "jsonl":
            raise ValueError("is snappy, which JSON lines do not have; choose zstd or none")
        return compression


class TranslateConfig(Section):
    """Translate a corpus of English into ASL gloss, or of gloss into English."""

    source: SourceSection = Field(description="What to translate.")
    languages: LanguagesSection = Field(
        default_factory=LanguagesSection, description="Which way to translate."
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
    sink: SinkSection = Field(description="Where the translations go.")
    run: RunSection = Field(
        default_factory=RunSection, description="How the work is spread over the cluster."
    )

    def normalize_rules(self) -> dict[str, Any]:
        """Return the section `normalize` with `auto` resolved for the language of the source."""
        return self.normalize.rules(gloss=mbart_code(self.languages.source) == GLOSS_CODE)
