"""The data sets of a preparation: unpacked from its configuration, read and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from aslbatch.config.dataset_sections import (
    AslgSection,
    DatasetSection,
    FloresAslSection,
    HowToSignSection,
    PairsSection,
)
from aslbatch.config.prepare import ExcludedSection
from aslbatch.corpora.aslg_pc12 import read_aligned_files, read_aslg_tables
from aslbatch.corpora.flores_asl import read_flores_asl
from aslbatch.corpora.how2sign import read_how2sign
from aslbatch.corpora.pairs import read_pairs
from aslbatch.corpora.reading import FileRows, naming
from aslbatch.corpora.row import Dropped, Labels, Origin, Row
from aslbatch.errors import SourceError

_ORIGINS: dict[str, Origin] = {"flores_asl": "human", "aslg_pc12": "rule"}


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set of the job, read.

    Attributes:
        section: What the configuration says of it.
        place: Its place there, such as `datasets[2]`.
        files: Its files, with their rows.
        asserted: What was checked while it was read, a sentence each.
    """

    section: DatasetSection
    place: str
    files: list[FileRows]
    asserted: list[str]

    @property
    def name(self) -> str:
        """Value of the column `dataset`."""
        return self.section.name or self.section.kind

    @property
    def rows(self) -> list[Row]:
        """Rows that could be read, in the order of the files."""
        return [row for file in self.files for row in file.kept]

    @property
    def dropped(self) -> list[Dropped]:
        """Rows that could not be read."""
        return [each for file in self.files for each in file.dropped]


def read_datasets(sections: Sequence[DatasetSection]) -> list[Dataset]:
    """Read all data sets.

    Raises:
        SourceError: A file cannot be read, or has other rows than it must have.
    """
    found = []
    for entry, section in enumerate(sections):
        place = f"datasets[{entry}]"
        files = _read(entry, section, place)
        found.append(Dataset(section, place, files, _count(section, place, files)))
    return found


def read_excluded(sections: Sequence[ExcludedSection]) -> list[FileRows]:
    """Read the sentences that are excluded.

    Raises:
        SourceError: A file cannot be read.
    """
    found: list[FileRows] = []
    for number, section in enumerate(sections):
        with naming(f"leakage.exclude[{number}]", text_column="column"):
            found += read_pairs(
                section.paths,
                format=section.format,
                columns={"source": section.column},
                labels=Labels(entry=-1, dataset="excluded"),
                storage_options=section.storage_options,
            )
    return found


def _read(entry: int, section: DatasetSection, place: str) -> list[FileRows]:
    labels = Labels(
        entry=entry,
        dataset=section.name or section.kind,
        split=section.split if isinstance(section.split, str) else None,
        license=section.license,
        origin=section.origin if isinstance(section, PairsSection) else _ORIGINS.get(section.kind),
        tag=section.tag if isinstance(section, PairsSection) else None,
    )
    options = section.storage_options
    with naming(place, text_column="columns.source, with kind: pairs,"):
        match section:
            case HowToSignSection():
                return read_how2sign(section.paths, labels=labels, storage_options=options)
            case FloresAslSection():
                return read_flores_asl(section.paths, labels=labels, storage_options=options)
            case AslgSection(paths=None, english=str() as english, gloss=str() as gloss):
                return [read_aligned_files(english, gloss, labels=labels, storage_options=options)]
            case AslgSection():
                return read_aslg_tables(section.paths or (), labels=labels, storage_options=options)
            case PairsSection():
                columns = section.columns.model_dump(exclude_none=True)
                with naming(place, text_column="columns.source"):
                    return read_pairs(
                        section.paths,
                        format=section.format,
                        columns=columns,
                        labels=labels,
                        storage_options=options,
                    )
            case _:
                assert_never(section)


def _count(section: DatasetSection, place: str, files: Sequence[FileRows]) -> list[str]:
    """Compare numbers of rows with those expected, and return what was compared.

    Raises:
        SourceError: There are others.
    """
    if section.expected_rows == "any":
        return []
    if isinstance(section.expected_rows, int):
        rows = sum(file.rows for file in files)
        _check_number(place, rows, section.expected_rows, f"{place}.expected_rows says")
        return [f"{place}: {rows:,} rows, as expected_rows says"]
    known = [file for file in files if file.expected is not None]
    for file in known:
        _check_number(
            file.source.uri, file.rows, file.expected or 0, "the published file should have"
        )
    return [
        f"{file.source.uri}: {file.rows:,} rows, as the published file should have"
        for file in known
    ]


def _check_number(what: str, rows: int, expected: int, who: str) -> None:
    if rows != expected:
        raise SourceError(
            f"{what}: {rows:,} rows, {who} {expected:,}; is the file whole, and the right one? "
            "If so, set expected_rows of this data set to the number that it has, or to any"
        )
