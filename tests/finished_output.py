"""The output of a run, made without Ray and without a model: plan, record, commits, _SUCCESS."""

import json

import pyarrow as pa

from aslbatch.pipelines.finish import Limits, close_output
from aslbatch.schema import DETAIL, REASON, translation_fields
from aslbatch.shards.commits import commit_shard
from aslbatch.shards.encoding import decode
from aslbatch.shards.layout import PLAN, RUN
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.plan import Plan
from aslbatch.shards.plan_file import plan_to_parquet
from aslbatch.shards.shard import Piece, Shard
from aslbatch.shards.source import Source
from aslbatch.storage.folder import Storage

RUN_ID = "0123456789abcdef"
SOURCE = pa.schema(
    [
        ("id", pa.int64()),
        ("speaker", pa.dictionary(pa.int32(), pa.string())),
        ("meta", pa.struct([("film", pa.int16()), ("tags", pa.list_(pa.string()))])),
    ]
)
REASONS = (None, None, "empty", None, "worker_died", None, None)


def output_format(file_format="parquet", compression="zstd"):
    """Return the format of the outputs made here."""
    return OutputFormat(SOURCE, alternatives=False, compression=compression, format=file_format)


def make_shard(index, rows, row_start):
    """Return a shard of the one source."""
    source = Source("a.txt", "a.txt", "text", "none", 1, "1")
    return Shard(f"part-{index:06d}-{index:08x}", index, (Piece(source, row_start, rows),))


def make_rows(start, count, reasons=REASONS):
    """Return rows as they leave the last stage; `reasons` are gone through again and again."""
    rows = range(start, start + count)
    reason = [reasons[row % len(reasons)] for row in rows]
    values = {
        "id": [row + 100 for row in rows],
        "speaker": [[None, "Ann", "Böb"][row % 3] for row in rows],
        "meta": [{"film": row % 5, "tags": ["a"] * (row % 2)} for row in rows],
        "source_row": list(rows),
        "source_uri": ["a.txt"] * count,
        "source_text": [f"Line {row}.\u2028" for row in rows],
        "source_hash": [f"{row * 2654435761 % 2**32:032x}" for row in rows],
        "score": [-(row % 10) / 7 for row in rows],
        "flags": [["repeats"] if row % 11 == 5 else [] for row in rows],
        REASON: reason,
        DETAIL: [each and f"because {each}" for each in reason],
    }
    examples = {pa.string(): "x", pa.int32(): 3, pa.bool_(): False}
    fields = [*SOURCE, *translation_fields(alternatives=False)]
    fields += [pa.field(REASON, pa.string()), pa.field(DETAIL, pa.string())]
    columns = []
    for field in fields:
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if field.name not in values:
            values[field.name] = [None if each else examples[plain] for each in reason]
        columns.append(pa.array(values[field.name], plain).cast(field.type))
    return pa.table(columns, schema=pa.schema([field.with_nullable(True) for field in fields]))


def make_output(folder, shard_rows, *, file_format="parquet", compression="zstd", **config):
    """Make a finished output of one source in shards of so many rows, and return its storage."""
    storage = Storage(str(folder))
    starts = [sum(shard_rows[:index]) for index in range(len(shard_rows))]
    shards = tuple(
        make_shard(index, rows, start)
        for index, (rows, start) in enumerate(zip(shard_rows, starts, strict=True))
    )
    plan = Plan(shards, SOURCE, ({"uri": "a.txt", "size": 1, "version": "1"},))
    values = {
        "source": {"paths": ["a.txt"]},
        "languages": {"source": "en", "target": "ase"},
        "decoding": {"num_beams": 4, "do_sample": False, "num_return_sequences": 1},
        "sink": {"format": file_format, "compression": compression},
    }
    record = {
        "run_id": RUN_ID,
        "identity": {
            "config": values,
            "sources": [{"uri": "a.txt", "size": 1, "version": "1"}],
            "model": {"name": "demo", "revision": "", "sha256": "0" * 64},
            "aslbatch": "0",
        },
        "config": values | {"run": {"max_failed_rows": 1.0}} | config,
        "started": "2026-01-01T00:00:00+00:00",
    }
    storage.publish(RUN, json.dumps(record).encode())
    storage.publish(PLAN, plan_to_parquet(plan))
    for shard, start in zip(shards, starts, strict=True):
        commit_shard(
            shard,
            make_rows(start, shard.rows),
            storage=storage,
            output=output_format(file_format, compression),
            run_id=RUN_ID,
        )
    close_output(storage, plan, limits=Limits(), holding=False)
    return storage


def all_rows(storage, folder, *, file_format="parquet"):
    """Return the rows of all files of a folder, in the order of their names, as a reader would."""
    output = output_format(file_format)
    schema = output.data_schema if folder == "data" else output.rejected_schema
    return [
        row
        for name in storage.names(folder)
        for row in decode(name, storage.read(f"{folder}/{name}"), schema).to_pylist()
    ]
