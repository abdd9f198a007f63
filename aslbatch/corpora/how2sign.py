"""How2Sign, the English side: https://how2sign.github.io; its gloss was never released.

The files are called `.csv` and are tab separated, but copies with commas are about. The header of
the realigned files says START_REALIGNED, that of the first ones START.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from aslbatch.corpora.reading import FileRows, read_file, scan_file
from aslbatch.corpora.row import Labels, Row
from aslbatch.errors import SourceError
from aslbatch.shards.formats.content import bounded_lines, open_content
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources

LICENSE = "cc-by-nc-4.0"

_TEXT = "SENTENCE"
_COLUMNS = {"source": _TEXT, "id": "SENTENCE_NAME", "document": "VIDEO_ID"}
_HEADERS = tuple(
    ("VIDEO_ID", "VIDEO_NAME", "SENTENCE_ID", "SENTENCE_NAME", *times, _TEXT)
    for times in (("START_REALIGNED", "END_REALIGNED"), ("START", "END"))
)
_KNOWN_ROWS = {
    "how2sign_realigned_train.csv": 31_165,
    "how2sign_realigned_val.csv": 1_741,
    "how2sign_realigned_test.csv": 2_357,
}
_SIGNER = re.compile(r"-(\d+)-rgb_(?:front|side)$")


def read_how2sign(
    paths: Sequence[str], *, labels: Labels, storage_options: Mapping[str, Any]
) -> list[FileRows]:
    """Read How2Sign's tables: `id` is SENTENCE_NAME, `document` VIDEO_ID, and there is no target.

    The signer is the number that SENTENCE_NAME has before the camera, as in `-8-rgb_front`.

    Raises:
        SourceError: A file cannot be read, or its header is not How2Sign's.
    """
    sources = list_sources(paths, format="tsv", storage_options=storage_options)
    return [_read(source, labels, storage_options) for source in sources]


def _read(source: Source, labels: Labels, storage_options: Mapping[str, Any]) -> FileRows:
    delimiter, header = _header(source, storage_options)
    if header not in _HEADERS:
        raise SourceError(
            f"{source.uri}: not a table of How2Sign: its columns are {', '.join(header)}; expected "
            f"are {', '.join(_HEADERS[0])}, with tabs or commas; read other tables with kind: pairs"
        )
    source = replace(source, format=delimiter)
    index = scan_file(source, text_column=_TEXT, storage_options=storage_options)
    is_realigned = header == _HEADERS[0]
    found = read_file(
        source,
        index,
        labels=labels,
        columns=_COLUMNS,
        storage_options=storage_options,
        expected=_KNOWN_ROWS.get(PurePosixPath(source.path).name) if is_realigned else None,
    )
    return replace(found, kept=[_with_signer(row) for row in found.kept])


def _header(source: Source, storage_options: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the format that the first line shows, and the columns that it names."""
    with open_content(source, storage_options) as content:
        line = next(bounded_lines(content, source.uri), b"")
    text = line.decode("utf-8-sig", errors="replace").strip()
    found, mark = ("tsv", "\t") if "\t" in text else ("csv", ",")
    return found, tuple(name.strip('"') for name in text.split(mark))


def _with_signer(row: Row) -> Row:
    signer = _SIGNER.search(row.id)
    return replace(row, signer=signer[1]) if signer else row
