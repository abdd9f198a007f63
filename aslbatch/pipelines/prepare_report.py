"""What a preparation came to: counts of every file, data set, split and reason."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import aslbatch
from aslbatch.config.prepare import PrepareConfig
from aslbatch.config.resolved import resolved
from aslbatch.corpora.reading import FileRows
from aslbatch.corpora.row import Row, Sorted
from aslbatch.pipelines.prepare_sources import Dataset
from aslbatch.text.sentence_key import sentence_key


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read.

    Attributes:
        uri: Its name.
        size_bytes: Its size.
        rows: Rows in it.
        unique_sentences: Unique sentences in it, exactly as they stand there.
    """

    uri: str
    size_bytes: int
    rows: int
    unique_sentences: int


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A table that was written: its rows, its bytes, and their SHA-256."""

    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """What became of one data set of the job.

    Attributes:
        place: Where it stands in the configuration, such as `datasets[0]`.
        name: Value of the column `dataset`.
        kind: Which reader read it.
        files: Its files.
        rows: Rows in them.
        kept: Rows kept, by split.
        dropped: Rows dropped, by reason.
        licenses: Rows kept, by license; the license of none is empty.
    """

    place: str
    name: str
    kind: str
    files: list[ReadFile]
    rows: int
    kept: dict[str, int]
    dropped: dict[str, int]
    licenses: dict[str, int]


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """What is in one split.

    Attributes:
        rows: Rows in it.
        unique_sentences: Sentences that differ in more than case, punctuation and white space.
        origins: Rows by origin of their gloss; `none` has no gloss.
        flags: Rows that have a flag, by flag.
        protected: Whether its sentences are kept out of the splits below.
    """

    rows: int
    unique_sentences: int
    origins: dict[str, int]
    flags: dict[str, int]
    protected: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What the job came to.

    Attributes:
        uri: The output folder.
        rows: Rows read: `kept` and those in `dropped`, each once.
        kept: Rows kept.
        dropped: Rows dropped, by reason.
        datasets: Each data set, in the order of the configuration.
        splits: Each split, protected ones first.
        excluded: Files whose sentences are kept out of unprotected splits.
        asserted: What was checked, a sentence each.
        warnings: What may not be as it was meant, a sentence each.
        config: The configuration, every default filled in, without secrets.
        files: The tables that were written, by name.
    """

    uri: str
    rows: int
    kept: int
    dropped: dict[str, int]
    datasets: list[DatasetCounts]
    splits: dict[str, SplitCounts]
    excluded: list[ReadFile]
    asserted: list[str]
    warnings: list[str]
    config: dict[str, Any]
    files: dict[str, WrittenFile] = field(default_factory=dict)


def make_report(
    config: PrepareConfig,
    datasets: Sequence[Dataset],
    excluded: Sequence[FileRows],
    rows: Sorted,
    *,
    uri: str,
) -> Report:
    """Count what became of all rows."""
    splits = _splits(rows.kept, config.leakage.protect)
    values = resolved(config)
    return Report(
        uri=uri,
        rows=sum(file.rows for dataset in datasets for file in dataset.files),
        kept=len(rows.kept),
        dropped=_counted(each.reason for each in rows.dropped),
        datasets=[_dataset(entry, dataset, rows) for entry, dataset in enumerate(datasets)],
        splits=splits,
        excluded=[_file(file) for file in excluded],
        asserted=_asserted(config, datasets, excluded, splits, rows),
        warnings=[
            f"leakage.protect names {split}, which has no rows: it protects nothing"
            for split in config.leakage.protect
            if not splits[split].rows
        ],
        config={**values, "sink": {}},
    )


def report_json(report: Report) -> bytes:
    """Return a report as the content of `report.json`; it does not say where that lies."""
    values = asdict(report)
    del values["uri"]
    made_by = {"job": "prepare", "aslbatch": aslbatch.__version__}
    return (json.dumps({**made_by, **values}, indent=1, ensure_ascii=False) + "\n").encode()


def _dataset(entry: int, dataset: Dataset, rows: Sorted) -> DatasetCounts:
    kept = [row for row in rows.kept if row.entry == entry]
    return DatasetCounts(
        place=dataset.place,
        name=dataset.name,
        kind=dataset.section.kind,
        files=[_file(file) for file in dataset.files],
        rows=sum(file.rows for file in dataset.files),
        kept=_counted(row.split or "" for row in kept),
        dropped=_counted(each.reason for each in rows.dropped if each.row.entry == entry),
        licenses=_counted(row.license or "" for row in kept),
    )


def _splits(rows: Iterable[Row], protect: Sequence[str]) -> dict[str, SplitCounts]:
    by_split: dict[str, list[Row]] = {split: [] for split in protect}
    for row in rows:
        by_split.setdefault(row.split or "", []).append(row)
    unprotected = sorted(set(by_split) - set(protect))
    return {
        split: SplitCounts(
            rows=len(by_split[split]),
            unique_sentences=len({sentence_key(row.source) for row in by_split[split]}),
            origins=_counted(row.origin or "none" for row in by_split[split]),
            flags=_counted(flag for row in by_split[split] for flag in row.flags),
            protected=split in protect,
        )
        for split in [*protect, *unprotected]
    }


def _asserted(
    config: PrepareConfig,
    datasets: Sequence[Dataset],
    excluded: Sequence[FileRows],
    splits: dict[str, SplitCounts],
    rows: Sorted,
) -> list[str]:
    total = len(rows.kept) + len(rows.dropped)
    lines = [
        f"all {total:,} rows read are among the {len(rows.kept):,} kept or the "
        f"{len(rows.dropped):,} dropped, each once"
    ]
    for dataset in datasets:
        lines += dataset.asserted
        if ids := set(dataset.section.few_shot_ids):
            lines.append(f"{dataset.place}: all {len(ids):,} few-shot ids were there")
    present = [split for split in config.leakage.protect if splits[split].rows]
    for number, split in enumerate(present):
        below = [*present[number + 1 :], *(name for name in splits if not splits[name].protected)]
        if below:
            lines.append(
                f"no sentence of {split} is in {' or '.join(below)}, in any data set, whatever its "
                "case, punctuation and white space"
            )
    if excluded:
        lines.append(
            f"no sentence of {', '.join(file.source.uri for file in excluded)} is in a split that "
            "is not protected"
        )
    return lines


def _file(file: FileRows) -> ReadFile:
    return ReadFile(file.source.uri, file.source.size, file.rows, file.sentences)


def _counted(values: Iterable[str]) -> dict[str, int]:
    return {str(value): count for value, count in sorted(Counter(values).items())}
