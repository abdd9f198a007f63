"""A row of a data set on its way: what it holds, and why it was dropped."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Origin = Literal["human", "teacher", "rule", "machine"]


@dataclass(frozen=True, slots=True)
class Labels:
    """What all rows of a data set have in common.

    Attributes:
        entry: Which data set of the job it is, from 0.
        dataset: Its name.
        split: The split that its rows are in; None where another rule decides.
        license: The license of its texts, None where none is stated.
        origin: Who made the glosses; None where a column says so, or there are none.
        tag: Mark of all rows, such as that of back-translated ones.
    """

    entry: int
    dataset: str
    split: str | None = None
    license: str | None = None
    origin: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence, with its gloss where there is one.

    Attributes:
        entry: Which data set of the job it is from, from 0.
        dataset: The name of that data set.
        source: English: as it was read, then cleaned.
        target: Gloss, None where there is none.
        origin: Who made the gloss, None where there is none.
        split: The split it is in, None until that is decided.
        id: What the data set calls the row; file and row number where it has no name for it.
        document: The video or page that it is part of.
        license: Of its texts.
        signer: Who signs.
        tag: A mark for training, such as that of back-translated rows.
        flags: What looks odd.
        source_uri: The file that it is from.
        source_row: Its number in that file, from 0.
    """

    entry: int
    dataset: str
    source: str
    target: str | None
    origin: str | None
    split: str | None
    id: str
    document: str | None
    license: str | None
    signer: str | None
    tag: str | None
    flags: tuple[str, ...]
    source_uri: str
    source_row: int

    def __str__(self) -> str:
        return f"{self.source_uri} row {self.source_row}"


class DropReason(StrEnum):
    """Why a row is not kept, beside the reasons for which a text cannot be translated."""

    EMPTY_TARGET = "empty_target"
    FLAGGED = "flagged"
    FEW_SHOT = "few_shot"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    LEAKED = "leaked"
    NEAR_LEAKED = "near_leaked"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that is not kept.

    Attributes:
        row: The row, as far as it had come.
        reason: A `DropReason`, or an `aslbatch.schema.RejectReason`.
        detail: What exactly was found, such as the row that it repeats.
    """

    row: Row
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a step made of some rows: together they are the rows that it was given."""

    kept: list[Row]
    dropped: list[Dropped]
