"""The report of a preparation for people: tables, on the terminal and in README.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from aslbatch.pipelines.prepare_report import Report

_MEANING = {
    "invalid_row": "the row cannot be parsed",
    "invalid_utf8": "the bytes of the row are not UTF-8",
    "unreadable": "the bytes of the file cannot be decoded",
    "empty": "there is no English",
    "markup_only": "the English is only markup",
    "no_words": "the English has no letter and no digit, or is only sounds, music and labels",
    "too_long": "the English is longer than normalize.max_characters",
    "empty_target": "there is no gloss, and the data set is one of pairs",
    "few_shot": "the row is an example that a teacher is shown",
    "flagged": "the gloss may be another sentence's, see drop_flags",
    "duplicate": "an earlier row of the split has the same English and the same gloss",
    "near_duplicate": "an earlier row of the split has nearly the same English and gloss",
    "leaked": "the sentence is in a protected split too, or was excluded",
    "near_leaked": "the sentence is nearly one of a protected split, or an excluded one",
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Attributes:
        title: What it shows.
        columns: Names of its columns.
        words: Those that hold words; the others hold numbers.
        rows: Cells of each row.
        note: What one needs to read it.
    """

    title: str
    columns: Sequence[str]
    words: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def report_tables(report: Report) -> list[Table]:
    """Return the counts of a report: what was read, what was dropped and why, what is left."""
    return [_read(report), _dropped(report), _splits(report)]


def preparation_card(report: Report) -> str:
    """Return README.md: a data set card of the Hugging Face Hub, with the whole report."""
    licenses = sorted({name for each in report.datasets for name in each.licenses if name})
    stated = all("" not in each.licenses for each in report.datasets)
    front: dict[str, Any] = {
        "license": licenses[0] if len(licenses) == 1 and stated else "other",
        "language": ["en", "ase"],
        "task_categories": ["translation"],
        "size_categories": [next((name for most, name in _SIZES if report.kept < most), _LARGEST)],
        "tags": ["sign-language", "asl", "gloss", "aslbatch"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}.parquet"}
                    for split, counts in report.splits.items()
                    if counts.rows
                ],
            }
        ],
    }
    if front["license"] == "other":
        front["license_name"] = "those-of-the-data-sets"
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n" + "\n".join(_body(report)) + "\n"


def _body(report: Report) -> Iterator[str]:
    yield from (
        "# English and ASL gloss, prepared for training and evaluation",
        "",
        f"{report.kept:,} of {report.rows:,} rows are kept, {sum(report.dropped.values()):,} are",
        "in `dropped.parquet` with the reason and what exactly was found.",
        "",
        "Gloss is not ASL. It leaves out space, non-manual markers and simultaneity, and has no",
        "standard. The column `origin` says who made a gloss: `human`, a `teacher` model, a `rule`",
        "or a `machine`; it is null where there is no gloss.",
        "",
    )
    for table in report_tables(report):
        yield from (f"## {table.title}", "", *_markdown(table), "")
        if table.note:
            yield from (table.note, "")
    yield from ("## What was checked", "", *(f"* {line}" for line in report.asserted), "")
    if report.warnings:
        yield from ("## Warnings", "", *(f"* {line}" for line in report.warnings), "")
    yield from ("## Licenses", "", *_markdown(_licenses(report)), "")
    yield "They hold for these rows too; look them up before you pass the rows on."
    yield ""
    yield from ("## Why rows were dropped", "")
    yield from (f"* `{reason}`: {_MEANING[reason]}" for reason in report.dropped)
    yield from ("", "`report.json` has all of this for programs, with the configuration.")


def _read(report: Report) -> Table:
    named = [(each.name, file) for each in report.datasets for file in each.files]
    named += [("(excluded)", file) for file in report.excluded]
    return Table(
        "Read",
        ("data set", "rows", "unique sentences", "file"),
        ("data set", "file"),
        [[name, f"{file.rows:,}", f"{file.unique_sentences:,}", file.uri] for name, file in named],
        "Unique sentences are counted exactly as they stand in a file, before any cleaning.",
    )


def _dropped(report: Report) -> Table:
    rows = [
        [each.name, *_kept(each.rows, sum(each.kept.values()), each.dropped), _named(each.kept)]
        for each in report.datasets
    ]
    if len(rows) > 1:
        rows.append(["all", *_kept(report.rows, report.kept, report.dropped), ""])
    columns = ("data set", "rows", "kept", "dropped", "why", "kept in")
    return Table("Kept and dropped", columns, ("data set", "why", "kept in"), rows)


def _kept(rows: int, kept: int, dropped: Mapping[str, int]) -> tuple[str, str, str, str]:
    return f"{rows:,}", f"{kept:,}", f"{sum(dropped.values()):,}", _named(dropped)


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _splits(report: Report) -> Table:
    origins = sorted({origin for each in report.splits.values() for origin in each.origins})
    flags = sorted({flag for each in report.splits.values() for flag in each.flags})
    names = ["no gloss" if origin == "none" else f"{origin} gloss" for origin in origins]
    rows = [
        [
            split,
            "yes" if counts.protected else "no",
            f"{counts.rows:,}",
            f"{counts.unique_sentences:,}",
            *(_number(counts.origins.get(origin, 0)) for origin in origins),
            *(_number(counts.flags.get(flag, 0)) for flag in flags),
        ]
        for split, counts in report.splits.items()
        if counts.rows
    ]
    columns = ("split", "protected", "rows", "unique sentences", *names, *flags)
    note = (
        "Unique sentences differ in more than case, punctuation and white space. Those of a "
        "protected split are in no split below it."
    )
    return Table("Splits", columns, ("split", "protected"), rows, note)


def _licenses(report: Report) -> Table:
    rows = [
        [each.name, name or "not stated", f"{count:,}"]
        for each in report.datasets
        for name, count in each.licenses.items()
    ]
    columns = ("data set", "license", "rows")
    return Table("Licenses", columns, ("data set", "license"), rows)


def _number(count: int) -> str:
    return f"{count:,}" if count else ""


def _markdown(table: Table) -> Iterator[str]:
    yield _line(table.columns)
    yield _line(["---" if name in table.words else "---:" for name in table.columns])
    yield from (_line([cell.replace("|", "\\|") for cell in row]) for row in table.rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
