"""Any table of English and gloss, outputs of `aslbatch translate` among them."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from aslbatch.corpora.reading import FileRows, read_file, scan_file
from aslbatch.corpora.row import Labels, Origin, Row
from aslbatch.errors import SourceError
from aslbatch.shards.sources import list_sources

_ORIGINS = get_args(Origin)


def read_pairs(
    paths: Sequence[str],
    *,
    format: str,  # noqa: A002 - named like the key of the configuration
    columns: Mapping[str, str],
    labels: Labels,
    storage_options: Mapping[str, Any],
) -> list[FileRows]:
    """Read tables whose columns are named by the job.

    Args:
        paths: Files, folders and globs.
        format: Format of all of them; `auto` goes by the ending of each.
        columns: The table's column for each field of `Row` that it has.
        labels: What all rows have in common.
        storage_options: Passed to fsspec.

    Raises:
        SourceError: A file cannot be read, lacks a column, or has an unknown origin.
    """
    found = []
    for source in list_sources(paths, format=format, storage_options=storage_options):
        index = scan_file(source, text_column=columns["source"], storage_options=storage_options)
        file = read_file(
            source, index, labels=labels, columns=columns, storage_options=storage_options
        )
        for row in file.kept:
            _check_origin(row)
        found.append(file)
    return found


def _check_origin(row: Row) -> None:
    if row.target is not None and row.origin not in _ORIGINS:
        raise SourceError(
            f"{row}: the origin of its gloss is {row.origin!r}, expected one of "
            f"{', '.join(_ORIGINS)}; correct the column, or state one origin for all rows"
        )
