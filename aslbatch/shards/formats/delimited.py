"""CSV and TSV: the first record names the columns, all columns are strings.

Records are those of Python's csv module with its default quoting, so they may span lines.
"""

import csv
import io
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from aslbatch.errors import SourceError
from aslbatch.rejects import Rejection
from aslbatch.schema import RejectReason
from aslbatch.shards.columns import check_text_column
from aslbatch.shards.formats.content import BOM, bounded_lines, open_content, read_range
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.formats.text import invalid_utf8
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source

MAX_FIELD_CHARACTERS = 1 << 22
"""Longer fields are taken for a quote that is never closed, which would swallow the whole file."""

DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its fields, or why it has none, and the bytes it takes in the file."""

    fields: list[str]
    reject: Rejection | None
    size_bytes: int


def scan(source: Source, *, reading: Reading, mark_every: int, limit: int | None) -> Index:
    """Count records; see `aslbatch.shards.formats.protocol.Format`."""
    with open_content(source, reading.storage_options) as content:
        lines = bounded_lines(content, source.uri)
        records = parse(lines, DELIMITERS[source.format], at_file_start=True)
        header, position = _header(records, source.uri)
        schema = pa.schema([(name, pa.string()) for name in header])
        check_text_column(source.uri, schema, reading.text_column)
        rows = 0
        offsets = array("q", [position])
        for record in records:
            if rows == limit:
                break
            rows += 1
            position += record.size_bytes
            if rows % mark_every == 0:
                offsets.append(position)
    if offsets[-1] != position:
        offsets.append(position)
    return Index(rows, schema, offsets)


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Parse records; see `aslbatch.shards.formats.protocol.Format`."""
    delimiter = DELIMITERS[piece.source.format]
    with open_content(piece.source, reading.storage_options) as content:
        first_lines = bounded_lines(content, piece.source.uri)
        header, _ = _header(parse(first_lines, delimiter, at_file_start=True), piece.source.uri)
    lines = io.BytesIO(read_range(piece, reading.storage_options))
    rows: list[list[str] | None] = []
    rejects: dict[int, Rejection] = {}
    for row, record in enumerate(parse(lines, delimiter)):
        reject = record.reject or _wrong_length(record.fields, header)
        rows.append(None if reject else record.fields)
        if reject:
            rejects[row] = reject
    text = _column(rows, header, reading.text_column)
    columns = [
        _column(rows, header, field.name).cast(field.type)
        if field.name in header
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return RawRows(columns, text, rejects)


def parse(
    lines: Iterable[bytes], delimiter: str, *, at_file_start: bool = False
) -> Iterator[Record]:
    """Cut lines, with their newlines, into records.

    A record that csv refuses counts as one row, and parsing goes on with the next line; the same
    happens wherever reading begins, so a shard sees the records that the scan saw.
    """
    # The limit holds for the whole process; csv's own 128 KiB would refuse long rows.
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    read_bytes = 0
    reject: Rejection | None = None

    def decoded() -> Iterator[str]:
        nonlocal read_bytes, reject
        for line in lines:
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                reject = reject or invalid_utf8(error, offset=read_bytes)
                text = line.decode(errors="surrogateescape")
            read_bytes += len(line)
            yield text.removeprefix(BOM) if at_file_start else text

    reader = csv.reader(decoded(), delimiter=delimiter)
    while True:
        fields: list[str] = []
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reject = reject or _unparsable(error)
        yield Record(fields, reject, read_bytes)
        read_bytes, reject, at_file_start = 0, None, False


def _header(records: Iterator[Record], uri: str) -> tuple[list[str], int]:
    """Return the names of the columns, and the bytes that the header takes."""
    first = next(records, None)
    if first is None or first.reject or not first.fields:
        detail = first.reject[1] if first and first.reject else "the first line is blank"
        raise SourceError(f"{uri}: no header: {detail}; the first line must name the columns")
    return first.fields, first.size_bytes


def _wrong_length(fields: list[str], header: list[str]) -> Rejection | None:
    if len(fields) == len(header):
        return None
    if not fields:
        return RejectReason.EMPTY, "the line is blank"
    return (
        RejectReason.INVALID_ROW,
        f"the record has {len(fields)} fields, the header {len(header)}; "
        "correct the record: is a quote or a delimiter missing?",
    )


def _unparsable(error: csv.Error) -> Rejection:
    return RejectReason.INVALID_ROW, f"csv: {error}; correct the record: is a quote not closed?"


def _column(rows: list[list[str] | None], header: list[str], name: str) -> pa.Array:
    if name not in header:
        return pa.nulls(len(rows), pa.string())
    index = header.index(name)
    return pa.array([row[index] if row else None for row in rows], pa.string())
