"""Putting the rows of many shards into one file, and taking such files apart again.

A record of a shard names its files and where in them its rows are. So rows move from file to file
by writing the new file first and then switching the records, one by one, each in one step: whatever
is killed in between, every record names whole files with its rows. What can be left is a file with
rows that no record names any more, or none yet; `torn_files` finds it and `mend` rewrites it.

The name of a merged file holds the hash of its content, so that a file which records name is never
written over by another one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.shards.commits import Commit
from aslbatch.shards.layout import DATA, REJECTED, commit_file, merged_file
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.published import PublishedFile, read_whole, rows_of
from aslbatch.storage.folder import Storage


def merge_shards(
    storage: Storage, records: Sequence[Commit], *, index: int, output: OutputFormat
) -> list[Commit]:
    """Write one file with the translated rows of some shards, and one with the rejected ones.

    The files that the records named before are left as they are. In memory are the rows of these
    shards and one of those files at a time.

    Args:
        storage: The output folder.
        records: The shards' records, in the order in which the rows shall stand.
        index: Index of the first shard, for the names of the files.
        output: What the files look like.

    Returns:
        The new records, all of them published.

    Raises:
        IncompleteRunError: A file is missing or was changed.
        SinkError: A file cannot be written.
    """
    data = _merge(storage, DATA, [r.data for r in records], output.data_schema, index, output)
    rejected = iter(
        _merge(
            storage,
            REJECTED,
            [r.rejected for r in records if r.rejected is not None],
            output.rejected_schema,
            index,
            output,
        )
    )
    switched = [
        replace(record, data=file, rejected=None if record.rejected is None else next(rejected))
        for record, file in zip(records, data, strict=True)
    ]
    for record in switched:
        storage.publish(commit_file(record.shard), record.to_json())
    return switched


def mend(storage: Storage, records: Sequence[Commit], *, output: OutputFormat) -> list[Commit]:
    """Rewrite torn files, so that every row of every file is named by one record.

    Args:
        storage: The output folder.
        records: All records, in the order of the plan.
        output: What the files look like.

    Returns:
        All records, the new ones in the place of the old.

    Raises:
        IncompleteRunError: A file is missing or was changed.
        SinkError: A file cannot be written.
    """
    indices = {record.shard: index for index, record in enumerate(records)}
    current = {record.shard: record for record in records}
    while torn := set(torn_files(list(current.values()))):
        together: dict[str, list[Commit]] = defaultdict(list)
        for record in current.values():
            if torn & {file.name for file in record.files}:
                together[record.data.name].append(record)
        for group in together.values():
            index = indices[group[0].shard]
            switched = merge_shards(storage, group, index=index, output=output)
            current |= {record.shard: record for record in switched}
    return list(current.values())


def torn_files(records: Sequence[Commit]) -> list[str]:
    """Return the files with rows that no record names, or that more than one names."""
    slices: dict[str, list[PublishedFile]] = defaultdict(list)
    for record in records:
        for file in record.files:
            slices[file.name].append(file)
    return sorted(name for name, parts in slices.items() if not _cover_all(parts))


def are_merged(records: Sequence[Commit]) -> bool:
    """Return whether some shards share their files already, with no others in them."""
    data = {record.data.name for record in records}
    rejected = {record.rejected.name for record in records if record.rejected is not None}
    return len(data) == 1 and len(rejected) <= 1 and not torn_files(records)


def _cover_all(parts: Sequence[PublishedFile]) -> bool:
    """Return whether slices of one file are all of its rows, each once."""
    end = 0
    for part in sorted(parts, key=lambda part: (part.first_row, part.rows)):
        if part.first_row != end:
            return False
        end += part.rows
    return end == parts[0].total_rows


def _merge(
    storage: Storage,
    folder: str,
    files: Sequence[PublishedFile],
    schema: pa.Schema,
    index: int,
    output: OutputFormat,
) -> list[PublishedFile]:
    """Write the rows of some files into a new one, and return where each file's are now."""
    if not files:
        return []
    table = pa.concat_tables(_slices(storage, files, schema))
    content = output.encoding.encode(table)
    digest = sha256_bytes(content)
    name = merged_file(folder, index, digest, output.encoding.suffix)
    storage.publish(name, content)
    first_row, placed = 0, []
    for file in files:
        total = table.num_rows if len(files) > 1 else None
        placed.append(PublishedFile(name, file.rows, len(content), digest, first_row, total))
        first_row += file.rows
    return placed


def _slices(
    storage: Storage, files: Sequence[PublishedFile], schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield the rows of each file; one that several shards share is read once for neighbors."""
    name, whole = "", schema.empty_table()
    for file in files:
        if file.name != name:
            name, whole = file.name, read_whole(storage, file, schema)
        yield rows_of(file, whole)
