"""2M-Flores-ASL, the tables: https://huggingface.co/datasets/facebook/2M-Flores-ASL.

The data set is some 326 GB of video, so only its `metadata.csv` is ever opened. A sentence that was
recorded again has a row for each signer, with the same id.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from aslbatch.corpora.reading import FileRows, read_file, scan_file
from aslbatch.corpora.row import Labels
from aslbatch.errors import SourceError
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources

LICENSE = "cc-by-sa-4.0"

_COLUMNS = {
    "source": "sentence",
    "target": "gloss",
    "id": "id",
    "document": "URL",
    "signer": "signer",
}
_KNOWN_ROWS = {("dev", "metadata.csv"): 999}


def read_flores_asl(
    paths: Sequence[str], *, labels: Labels, storage_options: Mapping[str, Any]
) -> list[FileRows]:
    """Read tables of sentences and glosses: `id` is the sentence's, `document` its page.

    Raises:
        SourceError: A file cannot be read, or has other columns.
    """
    sources = list_sources(paths, format="csv", storage_options=storage_options)
    return [_read(source, labels, storage_options) for source in sources]


def _place(source: Source) -> tuple[str, str]:
    path = PurePosixPath(source.path)
    return path.parent.name, path.name


def _read(source: Source, labels: Labels, storage_options: Mapping[str, Any]) -> FileRows:
    index = scan_file(source, text_column=_COLUMNS["source"], storage_options=storage_options)
    if missing := [name for name in _COLUMNS.values() if name not in index.schema.names]:
        raise SourceError(
            f"{source.uri}: not the table of 2M-Flores-ASL: no column {missing[0]!r} among "
            f"{', '.join(index.schema.names)}; read other tables with kind: pairs"
        )
    return read_file(
        source,
        index,
        labels=labels,
        columns=_COLUMNS,
        storage_options=storage_options,
        expected=_KNOWN_ROWS.get(_place(source)),
    )
