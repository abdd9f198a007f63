"""The data sets that the prepare job reads: a section for each kind."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from aslbatch.config.section import (
    Ids,
    Location,
    Paths,
    Section,
    SplitName,
    StorageOptions,
    Text,
)

Shares = dict[SplitName, Annotated[float, Field(gt=0, le=1)]]

_Flags = list[Literal["repeated_gloss", "shifted_gloss"]]


def _add_up_to_one(split: str | dict[str, float]) -> str | dict[str, float]:
    if isinstance(split, dict) and not math.isclose(sum(split.values()), 1):
        raise ValueError(f"the shares add up to {sum(split.values()):g}, expected 1")
    return split


Split = Annotated[SplitName | Shares, AfterValidator(_add_up_to_one)]
"""A split that all rows are in, or shares by which the hash of a sentence decides."""


class _Common(Section):
    """What a data set of any kind has."""

    name: Text | None = Field(
        default=None, description="Value of the column dataset; null for the kind."
    )
    expected_rows: Literal["auto", "any"] | Annotated[int, Field(ge=0)] = Field(
        default="auto",
        description="Rows there must be; auto for the files whose number is known, any for none.",
    )
    few_shot_ids: Ids = Field(
        default_factory=list,
        description="Rows that a teacher is shown, left out by id; each must be there.",
    )
    expected_after_few_shot: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Rows that must be left without few_shot_ids; null for any."
    )
    storage_options: StorageOptions = Field(
        default_factory=dict,
        repr=False,
        description="Arguments of the data set's file system; never logged.",
    )


class _Glossed(_Common):
    """What a data set with glosses has besides."""

    flag_noise: bool = Field(
        default=False, description="Flag glosses that may be another sentence's."
    )
    drop_flags: _Flags = Field(default_factory=list, description="Flags that a row is dropped for.")

    @field_validator("drop_flags")
    @classmethod
    def _are_made(cls, flags: list[str], info: ValidationInfo) -> list[str]:
        if flags and info.data.get("flag_noise") is False:
            raise ValueError("needs flag_noise: true, which makes the flags")
        return flags


class HowToSignSection(_Common):
    """How2Sign's English; it has no gloss."""

    kind: Literal["how2sign"] = Field(description="How2Sign, the English side.")
    paths: Paths = Field(description="Its tables, with tabs or commas: one, or a list of them.")
    split: Split = Field(description="The split of all rows, or shares of splits.")
    license: Text | None = Field(default="cc-by-nc-4.0", description="License of the texts.")


class FloresAslSection(_Glossed):
    """2M-Flores-ASL's sentences and glosses, without its videos."""

    kind: Literal["flores_asl"] = Field(description="2M-Flores-ASL, its tables alone.")
    paths: Paths = Field(description="Its metadata.csv: one, or a list of them.")
    split: Split = Field(description="The split of all rows, or shares of splits.")
    license: Text | None = Field(default="cc-by-sa-4.0", description="License of the texts.")
    flag_noise: bool = Field(
        default=True, description="Flag glosses that may be another sentence's."
    )

    @field_validator("paths")
    @classmethod
    def _are_tables(cls, paths: list[str]) -> list[str]:
        for path in paths:
            if not path.endswith(".csv"):
                raise ValueError(
                    f"{path} is no .csv; name data/dev/metadata.csv itself, since the data set "
                    "around it is some 326 GB of video"
                )
        return paths


class AslgSection(_Glossed):
    """ASLG-PC12, whose glosses were made by rules."""

    kind: Literal["aslg_pc12"] = Field(description="ASLG-PC12, gloss made by rules.")
    paths: Paths | None = Field(
        default=None, description="Tables with the columns gloss and text; null for two files."
    )
    english: Location | None = Field(
        default=None, description="Instead of paths: the file whose lines are English."
    )
    gloss: Location | None = Field(
        default=None, description="Instead of paths: the file with the gloss of each line."
    )
    split: Split = Field(description="The split of all rows, or shares of splits.")
    license: Text | None = Field(default="cc-by-nc-4.0", description="License of the texts.")

    @model_validator(mode="after")
    def _has_tables_or_lines(self) -> "AslgSection":
        given = tuple(each is not None for each in (self.paths, self.english, self.gloss))
        if given not in {(True, False, False), (False, True, True)}:
            raise ValueError("needs either paths, or both english and gloss")
        return self


class PairColumns(Section):
    """Which column of a table is what; null for none."""

    source: Text = Field(default="english", description="English.")
    target: Text | None = Field(default="gloss", description="Gloss; null for English alone.")
    origin: Text | None = Field(default=None, description="Who made the gloss.")
    split: Text | None = Field(default=None, description="The split of the row.")
    license: Text | None = Field(default=None, description="License of the row.")
    id: Text | None = Field(default=None, description="What the data set calls the row.")
    document: Text | None = Field(default=None, description="The video or page it is part of.")
    signer: Text | None = Field(default=None, description="Who signs.")
    tag: Text | None = Field(default=None, description="A mark, as of back-translated rows.")


class PairsSection(_Glossed):
    """Any table of English and gloss, outputs of the translate job among them."""

    kind: Literal["pairs"] = Field(description="Any table, its columns named here.")
    paths: Paths = Field(description="Files, folders, globs or URLs: one, or a list of them.")
    format: Literal["auto", "parquet", "arrow", "jsonl", "csv", "tsv"] = Field(
        default="auto", description="Format of every path; auto goes by each file's extension."
    )
    columns: PairColumns = Field(default_factory=PairColumns, description="Which column is what.")
    origin: Literal["human", "teacher", "rule", "machine"] | None = Field(
        default=None, description="Who made all glosses; null where columns.origin says so."
    )
    split: Split | None = Field(
        default=None, description="As elsewhere; null where columns.split says so."
    )
    license: Text | None = Field(
        default=None, description="License of all rows; null where columns.license says so."
    )
    tag: Text | None = Field(default=None, description="A mark of all rows; null for none.")
    require_target: bool = Field(
        default=True, description="Drop rows without gloss, instead of keeping them to be labeled."
    )

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> "PairsSection":
        if (self.split is None) == (self.columns.split is None):
            raise ValueError("needs either split or columns.split")
        for name in ("origin", "license", "tag"):
            if None not in (getattr(self, name), getattr(self.columns, name)):
                raise ValueError(f"needs either {name} or columns.{name}, not both")
        if self.columns.target and self.origin is self.columns.origin is None:
            raise ValueError("needs either origin or columns.origin: who made the glosses")
        return self


DatasetSection = Annotated[
    HowToSignSection | FloresAslSection | AslgSection | PairsSection, Field(discriminator="kind")
]
"""A data set of any kind."""
