"""Published files, and the rows of one shard in them.

A shard is committed with a file of its own. `aslbatch compact` puts the rows of many shards into
one file; then each of their records names that file, and where in it the shard's rows are.
"""

from dataclasses import dataclass

import pyarrow as pa

from aslbatch.errors import IncompleteRunError
from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.shards.encoding import Encoding, decode
from aslbatch.storage.folder import Storage


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """The rows of one shard in a published file.

    Attributes:
        name: The file's name.
        rows: Rows of the shard.
        size_bytes: Size of the whole file.
        sha256: SHA-256 of the whole file, in hex.
        first_row: Where the shard's rows begin in the file, from 0.
        file_rows: Rows of the whole file where it holds other shards too, else None.
    """

    name: str
    rows: int
    size_bytes: int
    sha256: str
    first_row: int = 0
    file_rows: int | None = None

    @property
    def is_shared(self) -> bool:
        """Whether the file holds rows of other shards too."""
        return self.file_rows is not None

    @property
    def total_rows(self) -> int:
        """Rows of the whole file."""
        return self.rows if self.file_rows is None else self.file_rows


def publish_table(
    storage: Storage, name: str, table: pa.Table, *, encoding: Encoding, may_replace: bool
) -> PublishedFile:
    """Write a table as a file of its own.

    Args:
        storage: The output folder.
        name: Name of the file.
        table: Its rows.
        encoding: Its format.
        may_replace: Whether a file of that name may be replaced. Else one with other bytes stays,
            and this one's name is made its own by its hash: a record may name the other one.

    Raises:
        SinkError: It cannot be written.
    """
    data = encoding.encode(table)
    digest = sha256_bytes(data)
    if may_replace:
        storage.publish(name, data)
    elif not storage.publish_new(name, data) and not _holds(storage, name, data):
        name = f"{name.removesuffix(encoding.suffix)}.{digest[:16]}{encoding.suffix}"
        storage.publish(name, data)
    return PublishedFile(name, table.num_rows, len(data), digest)


def _holds(storage: Storage, name: str, data: bytes) -> bool:
    try:
        return storage.read(name) == data
    except FileNotFoundError:  # the end of a run took it away
        return False


def read_whole(storage: Storage, file: PublishedFile, schema: pa.Schema) -> pa.Table:
    """Return columns of a published file, all of its rows, after a look at its checksum.

    Args:
        storage: The output folder.
        file: The file, as any record that names it says.
        schema: The columns wanted.

    Raises:
        IncompleteRunError: The file is missing, was changed, or has other columns.
        SinkError: It cannot be read.
    """
    try:
        data = storage.read(file.name)
    except FileNotFoundError as error:
        raise IncompleteRunError(
            f"{storage.uri}/{file.name}: missing, {file.total_rows} rows are lost"
        ) from error
    if (found := sha256_bytes(data)) != file.sha256:
        raise IncompleteRunError(
            f"{storage.uri}/{file.name}: {len(data)} bytes with SHA-256 {found[:16]}, committed "
            f"were {file.size_bytes} with {file.sha256[:16]}"
        )
    try:
        return decode(file.name, data, schema)
    except (pa.ArrowException, ValueError) as error:
        raise IncompleteRunError(
            f"{storage.uri}/{file.name}: does not hold the columns of the run ({error})"
        ) from error


def rows_of(file: PublishedFile, table: pa.Table) -> pa.Table:
    """Return a shard's rows of a whole file."""
    return table.slice(file.first_row, file.rows)


class ReadFiles:
    """Columns of the files of a few shards, each file read and checked once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._read: dict[str, pa.Table] = {}

    def rows(self, file: PublishedFile, schema: pa.Schema) -> pa.Table:
        """Return columns of a shard's rows.

        Raises:
            IncompleteRunError: The file is missing, was changed, or has other rows.
        """
        table = self._read.get(file.name)
        if table is None:
            table = self._read[file.name] = read_whole(self._storage, file, schema)
        if table.num_rows != file.total_rows:
            raise IncompleteRunError(
                f"{file.name}: {table.num_rows} rows, committed were {file.total_rows}"
            )
        return rows_of(file, table)
