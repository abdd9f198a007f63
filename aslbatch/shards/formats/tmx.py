"""TMX: a translation unit is a row, a language is a column, and `tuid` is one too.

Languages are named exactly as the file writes them. Inline codes are left out of the texts, but
what `<hi>` marks stays; where a code says that it stands for a break, a newline does.
"""

import codecs
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa

from aslbatch.errors import DamagedSourceError, SourceError
from aslbatch.shards.columns import check_text_column
from aslbatch.shards.formats.content import chunks, open_content, read_range
from aslbatch.shards.formats.protocol import Index, RawRows
from aslbatch.shards.formats.units import MalformedTmxError, RefusedTmxError, Unit, UnitParser
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Piece
from aslbatch.shards.source import Source

MOST_LANGUAGES = 500

_TUID = "tuid"
_HEAD_BYTES = 1_024
_WIDE_STARTS = {
    codecs.BOM_UTF16_LE: "UTF-16LE",
    codecs.BOM_UTF16_BE: "UTF-16BE",
    b"<\0": "UTF-16LE",
    b"\0<": "UTF-16BE",
}
# With a DTD outside of the file expat takes unknown entities in attributes for empty, without one
# for an error: pieces are read as the more lenient of the two, after the scan has seen the file.
_BEFORE, _AFTER = '<!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx><body>', "</body></tmx>"


def scan(source: Source, *, reading: Reading, mark_every: int, limit: int | None) -> Index:
    """Parse the file as it streams by; see `aslbatch.shards.formats.protocol.Format`."""
    rows = 0
    offsets: array[int] = array("q")
    languages: set[str] = set()
    with open_content(source, reading.storage_options) as content, _explained(source.uri) as parser:
        units = parser.parse(chunks(content))
        for unit in units:
            if rows == limit:
                offsets.append(unit.start)
                break
            if rows % mark_every == 0:
                offsets.append(unit.start)
            rows += 1
            languages.update(unit.texts)
            if len(languages) > MOST_LANGUAGES:
                raise RefusedTmxError(f"more than {MOST_LANGUAGES} languages")
        else:
            offsets.append(parser.end or 0)
    names = [*sorted(languages), _TUID] if rows else [reading.text_column, _TUID]
    schema = pa.schema([(name, pa.string()) for name in names])
    check_text_column(source.uri, schema, reading.text_column)
    return Index(rows, schema, offsets)


def read(piece: Piece, *, schema: pa.Schema, reading: Reading) -> RawRows:
    """Parse the units between two offsets; see `aslbatch.shards.formats.protocol.Format`."""
    encoding = _encoding(piece.source, reading)
    data = read_range(piece, reading.storage_options)
    with _explained(f"{piece.source.uri} from byte {piece.byte_start} on", encoding) as parser:
        pieces = (_BEFORE.encode(encoding), data, _AFTER.encode(encoding))
        units = list(parser.parse(pieces))
    present = {_TUID}.union(*(unit.texts for unit in units))
    columns = [
        _column(units, field.name).cast(field.type)
        if field.name in present
        else pa.nulls(len(units), field.type)
        for field in schema
    ]
    return RawRows(columns, _column(units, reading.text_column), {})


def _encoding(file: Source, reading: Reading) -> str:
    """Return the encoding of a file: 16 bits by its first bytes, else what it declares, or UTF-8.

    Raises:
        SourceError: The file cannot be read.
    """
    with open_content(file, reading.storage_options) as content:
        head = content.read(_HEAD_BYTES)
    if wide := _WIDE_STARTS.get(head[:2]):
        return wide
    parser = UnitParser()
    # The declaration has been seen by then; what is wrong is told where the file is parsed.
    with suppress(MalformedTmxError, RefusedTmxError):
        parser.feed(head)
    return parser.declared_encoding or "UTF-8"


@contextmanager
def _explained(where: str, encoding: str | None = None) -> Iterator[UnitParser]:
    """Give a parser; what it raises becomes an error that names the place.

    Raises:
        SourceError: The file is not to be read.
        DamagedSourceError: It is not well-formed.
    """
    parser = UnitParser(encoding)
    try:
        yield parser
    except RefusedTmxError as error:
        raise SourceError(f"{where}: {parser.position}: {error}") from error
    except MalformedTmxError as error:
        raise DamagedSourceError(
            f"{where}: {parser.position}: not well-formed XML: {error}; correct the file"
        ) from error


def _column(units: list[Unit], name: str) -> pa.Array:
    if name == _TUID:
        return pa.array([unit.tuid for unit in units], pa.string())
    return pa.array([unit.texts.get(name) for unit in units], pa.string())
