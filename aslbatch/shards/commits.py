"""Publishing a shard: data, rejected rows, and last the record that makes it count."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from aslbatch.errors import IncompleteRunError
from aslbatch.schema import AUDIT, DETAIL, REASON, RejectReason
from aslbatch.shards.layout import COMMITS, commit_file, data_file, rejected_file
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.published import PublishedFile, publish_table
from aslbatch.shards.shard import Shard
from aslbatch.storage.folder import Storage

_READERS = 16


@dataclass(frozen=True, slots=True)
class Commit:
    """The record of a committed shard; it holds no times, so that a rerun writes the same bytes.

    Attributes:
        shard: Name of the shard.
        run_id: The run that it belongs to.
        rows: Rows planned, which are those of data and rejected together.
        data: The file with the translated rows.
        rejected: The file with the rejected rows, where there are any.
        reasons: Rejected rows by `RejectReason`.
        source_tokens: Tokens read, special ones left out.
        target_tokens: Tokens written, special ones left out.
        generation: 0, then one more for each time that `aslbatch retry` replaced the shard.
        audited: Texts translated without the vocabulary shortlist too.
        agreed: Those of them whose translation was the same.
    """

    shard: str
    run_id: str
    rows: int
    data: PublishedFile
    rejected: PublishedFile | None
    reasons: dict[str, int]
    source_tokens: int
    target_tokens: int
    generation: int = 0
    audited: int = 0
    agreed: int = 0

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """The one or two files of the shard."""
        return (self.data,) if self.rejected is None else (self.data, self.rejected)

    @property
    def failed_rows(self) -> int:
        """Rejected rows that count as failed."""
        return sum(n for reason, n in self.reasons.items() if RejectReason(reason).is_failure)

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON-able values, silent on audits where there were none."""
        values = asdict(self)
        if not self.audited:
            del values["audited"], values["agreed"]
        return values

    def to_json(self) -> bytes:
        """Return the record as it is stored."""
        return (json.dumps(self.as_dict(), indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Commit":
        """Return the record that `to_json` wrote."""
        fields = json.loads(data)
        fields["data"] = PublishedFile(**fields["data"])
        if fields["rejected"] is not None:
            fields["rejected"] = PublishedFile(**fields["rejected"])
        return cls(**fields)


def commit_shard(
    shard: Shard,
    table: pa.Table,
    *,
    storage: Storage,
    output: OutputFormat,
    run_id: str,
    replaces: Commit | None = None,
) -> Commit:
    """Publish a finished shard: data, rejected rows, commit record, in this order.

    Of drivers that publish one shard for the first time, the first counts: the record and the files
    that it names stay, for they may have been compacted since.

    Args:
        shard: The plan's entry.
        table: All rows of the shard, translated and rejected.
        storage: The output folder.
        output: What the files look like.
        run_id: The run that the shard belongs to.
        replaces: The record that this one takes the place of; None for a shard's first one.

    Returns:
        The record that is now there; without `replaces` perhaps another driver's.

    Raises:
        IncompleteRunError: The table has not as many rows as were planned; nothing is written.
        SinkError: A file cannot be written.
    """
    if table.num_rows != shard.rows:
        raise IncompleteRunError(
            f"{shard.name}: {table.num_rows} rows came out, {shard.rows} were planned from "
            f"{shard.pieces[0]} on; nothing was written, please report this"
        )
    if replaces is None and (earlier := _committed_before(storage, shard, run_id)):
        return earlier
    is_rejected = pc.is_valid(table[REASON])
    data = select_columns(table.filter(pc.invert(is_rejected)), output.data_schema)
    rejected = _rejected_rows(table.filter(is_rejected), output.rejected_schema)
    audits = table[AUDIT].drop_null().to_pylist() if AUDIT in table.column_names else []
    generation = 0 if replaces is None else replaces.generation + 1
    suffix = output.encoding.suffix
    publish = partial(publish_table, storage, encoding=output.encoding, may_replace=generation > 0)
    record = Commit(
        shard=shard.name,
        run_id=run_id,
        rows=shard.rows,
        data=publish(data_file(shard.name, generation, suffix), data),
        rejected=publish(rejected_file(shard.name, generation, suffix), rejected)
        if rejected.num_rows
        else None,
        reasons=dict(sorted(Counter(rejected["reject_reason"].to_pylist()).items())),
        source_tokens=_total(data, "source_tokens"),
        target_tokens=_total(data, "target_tokens"),
        generation=generation,
        audited=len(audits) + (replaces.audited if replaces else 0),
        agreed=sum(audits) + (replaces.agreed if replaces else 0),
    )
    name, content = commit_file(shard.name), record.to_json()
    if replaces is None:
        if storage.publish_new(name, content):
            return record
        # Files of ours that the other's record does not name are removed at the end of the run.
        if earlier := _committed_before(storage, shard, run_id):
            return earlier
    storage.publish(name, content)
    return record


def committed(storage: Storage) -> set[str]:
    """Return the names of the committed shards."""
    return {name.removesuffix(".json") for name in storage.names(COMMITS)}


def read_commits(storage: Storage, shards: Iterable[str]) -> Iterator[Commit]:
    """Yield the records of shards, in their order, reading several at a time.

    Raises:
        IncompleteRunError: A record is missing or damaged.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(lambda shard: read_commit(storage, shard), shards)


def read_commit(storage: Storage, shard: str) -> Commit:
    """Return the record of one shard.

    Raises:
        IncompleteRunError: The record is missing or damaged.
    """
    name = commit_file(shard)
    try:
        return Commit.from_json(storage.read(name))
    except FileNotFoundError as error:
        raise IncompleteRunError(
            f"{storage.uri}/{name}: missing, the shard is not committed; run the job again"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise IncompleteRunError(
            f"{storage.uri}/{name}: damaged ({error}); delete it and run the job again"
        ) from error


def _committed_before(storage: Storage, shard: Shard, run_id: str) -> Commit | None:
    """Return the record that a shard of this run has; a damaged one counts as none."""
    try:
        record = read_commit(storage, shard.name)
    except IncompleteRunError:
        return None
    return record if (record.run_id, record.rows) == (run_id, shard.rows) else None


def _total(table: pa.Table, name: str) -> int:
    """Return the sum of a column, 0 without one: a teacher is paid by text, not by row."""
    return (pc.sum(table[name]).as_py() or 0) if name in table.column_names else 0


def select_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the table with just a schema's columns, in its order and types."""
    return table.select(schema.names).cast(schema)


def _rejected_rows(table: pa.Table, schema: pa.Schema) -> pa.Table:
    renamed = table.drop_columns(
        [name for name in ("reject_reason", "reject_detail") if name in table.column_names]
    )
    names = {REASON: "reject_reason", DETAIL: "reject_detail"}
    renamed = renamed.rename_columns([names.get(name, name) for name in renamed.column_names])
    return select_columns(renamed, schema)
