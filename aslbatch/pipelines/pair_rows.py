"""Rows with English and gloss side by side, read as every job with pairs reads them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aslbatch.errors import SourceError
from aslbatch.pipelines.ownership import check_apart
from aslbatch.schema import DETAIL, REASON, RejectReason
from aslbatch.shards.plan import Plan, auto_shard_rows, make_plan
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources
from aslbatch.storage.folder import Storage

_SOURCE_KEY = re.compile(r"\bsource\.(paths|format|storage_options|text_column|columns)\b")
_KEYS = {"text_column": "english or {0}.gloss", "columns": "id"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Files with pairs, which were scanned: columns are there, and hold text.

    Attributes:
        section: The section of the configuration that names them.
        sources: The files.
        plan: Their pieces, which are read again only as they were scanned.
        reading: How they are read.
    """

    section: str
    sources: list[Source]
    plan: Plan
    reading: Reading

    @classmethod
    def scan(
        cls,
        section: str,
        paths: Sequence[str],
        sink: Storage,
        *,
        format: str = "auto",  # noqa: A002 - named like the key of the configuration
        english: str,
        gloss: str,
        others: tuple[str, ...] = (),
        storage_options: Mapping[str, Any],
    ) -> "PairFiles":
        """Find files and scan them.

        Args:
            section: The section of the configuration that names them, for errors.
            paths: Files, folders, globs or URLs.
            sink: The output folder, in which they must not lie.
            format: Format of all files; `auto` goes by each one's ending.
            english: Column that holds the English.
            gloss: Column that holds the gloss.
            others: More columns to read.
            storage_options: Arguments of their file system.

        Raises:
            SourceError: There are none, or one cannot be read, or lacks a column.
        """
        reading = Reading(text_column=english, storage_options=storage_options)
        names = list(dict.fromkeys((english, gloss, *others)))
        with _keys_of(section):
            sources = list_sources(paths, format=format, storage_options=storage_options)
            check_apart(sources, sink)
            # A scan looks for one column of text in each file, and the other must be there too.
            for column in (gloss, english):
                plan = make_plan(
                    sources,
                    reading=replace(reading, text_column=column),
                    columns=names,
                    shard_rows=partial(auto_shard_rows, workers=1),
                )
        return cls(section, sources, plan, reading)

    def rows(self) -> Iterator[Row]:
        """Yield all rows, with `source_uri` and `source_row`.

        Raises:
            SourceError: A row cannot be read, or a file has changed.
        """
        with _keys_of(self.section):
            for shard in self.plan.shards:
                table = read_shard(shard, schema=self.plan.schema, reading=self.reading)
                yield from map(_checked, table.to_pylist())


def _checked(row: Row) -> Row:
    if row[REASON] not in (None, RejectReason.EMPTY):
        raise SourceError(
            f"{row['source_uri']} row {row['source_row']}: {row[REASON]} ({row[DETAIL]}), "
            f"so that the pair is not known; mend or drop the row"
        )
    return row


@contextmanager
def _keys_of(section: str) -> Iterator[None]:
    """Name the keys of a section in errors of code that knows those of a translate job."""
    try:
        yield
    except SourceError as error:
        message = _SOURCE_KEY.sub(
            lambda key: f"{section}.{_KEYS.get(key[1], key[1]).format(section)}", error.message
        )
        raise SourceError(message) from error
