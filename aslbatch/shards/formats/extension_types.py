"""Extension types that a Parquet or Arrow file declares: none is made, columns are what is stored.

Arrow looks a declared type up among those that the process has registered, and lets it read the
file's own bytes. Those of Ray unpickle: values of `ray.data.arrow_pickled_object` when they are
looked at, and, where an environment variable asks for it, the shape of a tensor when the file is
merely opened. A corpus of strangers must not get there.
"""

import base64
import binascii
import io
import struct
from collections.abc import Iterable
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

_NAME_KEY = b"ARROW:extension:name"
_OTHER_KEY = b"arrow:extension:name"
_SCHEMA_KEY = b"ARROW:schema"
_OTHER_SCHEMA_KEY = b"arrow:schema"
_MAGIC = b"PAR1"
_FOOTER_END = 8
_CONTINUATION = b"\xff\xff\xff\xff"
_MOST_SCHEMA_BYTES = 1 << 26


class IpcStream(io.RawIOBase):
    """An Arrow stream whose beginning was changed.

    Attributes:
        bytes_read: How much of it was read.
    """

    def __init__(self, head: bytes, rest: BinaryIO, size: int) -> None:
        """Join the changed beginning and what follows it, in a file of so many bytes."""
        self.bytes_read = 0
        self._size = size
        self._head = io.BytesIO(head)
        self._rest = rest

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, all that is left for -1."""
        # Python takes memory for as many bytes as are asked for, whether they are there or not.
        size = min(size, self._size) if size >= 0 else self._size
        part = self._head.read(size)
        if len(part) < size:
            part += self._rest.read(size - len(part))
        self.bytes_read += len(part)
        return part


def open_parquet(stored: BinaryIO, *, pre_buffer: bool) -> pq.ParquetFile:
    """Open a Parquet file whose columns have storage types only, nested ones too.

    The types come from the Arrow schema that the footer holds. Where that declares an extension
    type, or may do so, it is left out, and the types are those of Parquet itself: then dictionaries
    and large strings are plain strings.

    Args:
        stored: The file; it must be seekable.
        pre_buffer: As pyarrow has it.

    Raises:
        pyarrow.ArrowException: The file is damaged.
        UnicodeDecodeError: The name of a column is not UTF-8.
    """
    size = stored.seek(0, io.SEEK_END)
    stored.seek(max(size - _FOOTER_END, 0))
    end = stored.read(_FOOTER_END)
    if not end.endswith(_MAGIC) or size < _FOOTER_END:
        raise pa.ArrowInvalid("no Parquet footer at its end")
    footer_size = int.from_bytes(end[:4], "little")
    if footer_size > size - _FOOTER_END:
        raise pa.ArrowInvalid(f"a footer of {footer_size} bytes in a file of {size}")
    stored.seek(size - _FOOTER_END - footer_size)
    file = pq.ParquetFile(
        stored,
        metadata=_safe_metadata(stored.read(footer_size)),
        pre_buffer=pre_buffer,
        arrow_extensions_enabled=False,
    )
    _check_names(file.schema_arrow)
    return file


def ipc_stream(stored: BinaryIO) -> tuple[pa.Schema, IpcStream]:
    """Return the schema of an Arrow file, and the file as a stream without extension types.

    Files of the IPC file format are streams between a mark and a footer, and are read as such.

    Args:
        stored: The file at its beginning.

    Raises:
        pyarrow.ArrowException: It does not begin with a schema.
        UnicodeDecodeError: The name of a column is not UTF-8.
    """
    size = stored.seek(0, io.SEEK_END)
    stored.seek(0)
    start = stored.read(8)
    if start.startswith(b"ARROW1"):
        start = stored.read(8)
    if not start.startswith(_CONTINUATION):  # streams of Arrow before 0.15
        start, rest = _CONTINUATION + start[:4], start[4:]
    else:
        rest = b""
    if len(start) < 8:
        raise pa.ArrowInvalid("too short for an Arrow stream")
    (length,) = struct.unpack("<i", start[4:])
    if not 0 < length <= _MOST_SCHEMA_BYTES:
        raise pa.ArrowInvalid("no schema of an Arrow stream at its beginning")
    message = rest + stored.read(length - len(rest))
    head = start + message.replace(_NAME_KEY, _OTHER_KEY)
    schema = pa.ipc.read_schema(pa.BufferReader(head))
    _check_names(schema)
    return schema, IpcStream(head, stored, size)


def _check_names(fields: Iterable[pa.Field]) -> None:
    """Look at all names of columns, since Python fails on those that are not UTF-8."""
    for field in fields:
        _ = field.name
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        _check_names(kind.field(index) for index in range(kind.num_fields))


def _safe_metadata(footer: bytes) -> pq.FileMetaData:
    """Return what a footer says, without its Arrow schema unless that is plainly harmless."""
    without_schema = footer.replace(_SCHEMA_KEY, _OTHER_SCHEMA_KEY)
    metadata = _metadata(without_schema)
    encoded = (metadata.metadata or {}).get(_OTHER_SCHEMA_KEY)
    if encoded is None or without_schema.count(_OTHER_SCHEMA_KEY) > 1:
        return metadata
    try:
        schema = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return metadata
    return metadata if _NAME_KEY in schema else _metadata(footer)


def _metadata(footer: bytes) -> pq.FileMetaData:
    size = len(footer).to_bytes(4, "little")
    # To read metadata, pyarrow makes the types of the file too.
    return pq.read_metadata(pa.BufferReader(_MAGIC + footer + size + _MAGIC))
