"""The output folder of a preparation: whose it is, and what is published there in which order."""

import json
from collections import defaultdict
from dataclasses import replace

import aslbatch
from aslbatch.config.prepare import PrepareConfig
from aslbatch.config.resolved import resolved
from aslbatch.corpora.row import Row, Sorted
from aslbatch.corpora.tables import dropped_table, kept_table
from aslbatch.errors import OutputMismatchError, SinkError
from aslbatch.pipelines.prepare_card import preparation_card
from aslbatch.pipelines.prepare_report import Report, WrittenFile, report_json
from aslbatch.provenance.hashing import sha256_bytes
from aslbatch.provenance.identity import differences
from aslbatch.shards.layout import CARD, DATA
from aslbatch.shards.parquet_bytes import table_to_parquet
from aslbatch.storage.folder import Storage

OWNER = "_prepare.json"
DROPPED = "dropped.parquet"
REPORT = "report.json"

_COMPRESSION = "zstd"
_MADE = (REPORT, CARD, DROPPED, DATA)


def open_output(sink: Storage, config: PrepareConfig, *, overwrite: bool) -> bytes:
    """Check that the folder is free or this job's, before any work, and write nothing.

    Args:
        sink: The output folder.
        config: The job.
        overwrite: Accept what another configuration of the job has prepared there.

    Returns:
        What will say whose the folder is, for `publish`.

    Raises:
        OutputMismatchError: Another configuration has prepared data there.
        SinkError: It holds something else, or cannot be read.
    """
    values = resolved(config)
    values["sink"] = {}
    ours = {"job": "prepare", "aslbatch": aslbatch.__version__, "config": values}
    if not sink.exists(OWNER):
        _check_free(sink)
    elif not overwrite:
        try:
            theirs = json.loads(sink.read(OWNER))
        except ValueError as error:
            raise SinkError(f"{sink.uri}/{OWNER} is damaged; --overwrite replaces it") from error
        if lines := differences(ours, theirs):
            listed = "\n".join(f"  {line}" for line in lines)
            raise OutputMismatchError(
                f"{sink.uri} holds data of another preparation; what differs:\n{listed}\n"
                "choose another sink.path, or replace that on purpose with --overwrite"
            )
    return (json.dumps(ours, indent=1, ensure_ascii=False) + "\n").encode()


def publish(sink: Storage, owner: bytes, report: Report, rows: Sorted) -> Report:
    """Write the tables, then the card, and the report last, without which nothing counts.

    Returns:
        The report, with the files that were written.

    Raises:
        SinkError: A file cannot be written; the same job, run again, writes all of them.
    """
    splits: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows.kept:
        splits[row.split or ""].append(row)
    tables = {f"{DATA}/{split}.parquet": kept_table(splits[split]) for split in sorted(splits)}
    if rows.dropped:
        tables[DROPPED] = dropped_table(rows.dropped)
    contents = {
        name: table_to_parquet(table, compression=_COMPRESSION) for name, table in tables.items()
    }
    files = {
        name: WrittenFile(tables[name].num_rows, len(data), sha256_bytes(data))
        for name, data in contents.items()
    }
    report = replace(report, files=files)
    sink.publish(OWNER, owner)
    for name in _MADE:  # a split that is no longer there would outlive its report
        sink.delete(name)
    for name, data in contents.items():
        sink.publish(name, data)
    sink.publish(CARD, preparation_card(report).encode())
    sink.publish(REPORT, report_json(report))
    return report


def _check_free(sink: Storage) -> None:
    taken = [name for name in (*_MADE, "_plan", "_SUCCESS") if sink.exists(name)]
    if taken:
        raise SinkError(
            f"{sink.uri} holds {', '.join(taken)}, but no {OWNER}, so that no preparation made "
            "them; choose another sink.path, nothing was touched"
        )
