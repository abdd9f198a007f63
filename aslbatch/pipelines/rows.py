"""The rows of a committed run, shard after shard, in the order of the plan."""

from collections.abc import Iterable, Iterator
from itertools import groupby

import pyarrow as pa

from aslbatch.shards.commits import Commit
from aslbatch.shards.published import ReadFiles
from aslbatch.storage.folder import Storage


def translated_rows(
    storage: Storage, records: Iterable[Commit], schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield the translated rows of each shard.

    Args:
        storage: The output folder.
        records: The commit records, in the order of the plan.
        schema: The columns wanted.

    Raises:
        IncompleteRunError: A file is missing, or is not as it was committed.
    """
    for _, sharing in groupby(records, lambda record: record.data.name):
        files = ReadFiles(storage)
        for record in sharing:
            yield files.rows(record.data, schema)


def rejected_rows(
    storage: Storage, records: Iterable[Commit], schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield the rejected rows of each shard that has any; see `translated_rows`."""
    published = (record.rejected for record in records if record.rejected is not None)
    for _, sharing in groupby(published, lambda file: file.name):
        files = ReadFiles(storage)
        for file in sharing:
            yield files.rows(file, schema)
