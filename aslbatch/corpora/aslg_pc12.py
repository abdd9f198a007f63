"""ASLG-PC12, gloss that rules made: tables with `gloss` and `text`, or two files line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aslbatch.corpora.reading import FileRows, read_file, scan_file
from aslbatch.corpora.row import Dropped, Labels, Row
from aslbatch.errors import SourceError
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources

LICENSE = "cc-by-nc-4.0"

_COLUMNS = {"source": "text", "target": "gloss"}
_LINE = {"source": "line"}


def read_aslg_tables(
    paths: Sequence[str], *, labels: Labels, storage_options: Mapping[str, Any]
) -> list[FileRows]:
    """Read tables with the columns `text` and `gloss`.

    Raises:
        SourceError: A file cannot be read, or has other columns.
    """
    found = []
    for source in list_sources(paths, storage_options=storage_options):
        index = scan_file(source, text_column=_COLUMNS["source"], storage_options=storage_options)
        found.append(
            read_file(
                source, index, labels=labels, columns=_COLUMNS, storage_options=storage_options
            )
        )
    return found


def read_aligned_files(
    english: str, gloss: str, *, labels: Labels, storage_options: Mapping[str, Any]
) -> FileRows:
    """Read two text files of which each line of one belongs to that line of the other.

    Raises:
        SourceError: One cannot be read, or they have different numbers of lines.
    """
    sources, glosses = (_lines(path, labels, storage_options) for path in (english, gloss))
    if sources.rows != glosses.rows:
        raise SourceError(
            f"{sources.source.uri} has {sources.rows:,} lines, {glosses.source.uri} "
            f"{glosses.rows:,}; they must be pairs, line by line: get both of the same release"
        )
    targets = {row.source_row: row.source for row in glosses.kept}
    unreadable = {each.row.source_row: each for each in glosses.dropped}
    kept: list[Row] = []
    dropped: list[Dropped] = list(sources.dropped)
    for row in sources.kept:
        if fault := unreadable.get(row.source_row):
            detail = f"{glosses.source.uri} row {row.source_row}: {fault.detail}"
            dropped.append(Dropped(row, fault.reason, detail))
        else:
            kept.append(replace(row, target=targets[row.source_row]))
    return replace(sources, kept=kept, dropped=dropped)


def _lines(path: str, labels: Labels, storage_options: Mapping[str, Any]) -> FileRows:
    found: list[Source] = list_sources([path], format="text", storage_options=storage_options)
    if len(found) > 1:
        raise SourceError(f"{path}: stands for {len(found)} files; name one of them")
    index = scan_file(found[0], text_column=_LINE["source"], storage_options=storage_options)
    return read_file(found[0], index, labels=labels, columns=_LINE, storage_options=storage_options)
