"""A finished output without Ray and without a model: every text is its own translation."""

import json

import pyarrow as pa
import pyarrow.compute as pc
from planning import plan_of

from aslbatch.rejects import set_column
from aslbatch.schema import DETAIL, REASON, TEXT, translation_fields
from aslbatch.shards.commits import commit_shard
from aslbatch.shards.layout import PLAN, RUN, SUCCESS
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.plan import Plan
from aslbatch.shards.plan_file import plan_to_parquet
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.storage.folder import Storage

EXAMPLES = {pa.float32(): -0.5, pa.int32(): 3, pa.bool_(): False}


def fake_output(
    folder, *paths, reading=None, target="ase", file_format="parquet", **planned
) -> Storage:
    """Translate some sources into a folder; texts without letters are rejected."""
    reading = reading or Reading()
    plan = plan_of(*paths, reading=reading, **planned)
    storage = Storage(str(folder))
    run = {"run_id": "r", "identity": {}, "config": {"languages": {"target": target}}}
    storage.publish(RUN, json.dumps(run).encode())
    storage.publish(PLAN, plan_to_parquet(plan))
    output = OutputFormat(plan.schema, alternatives=False, compression="zstd", format=file_format)
    for shard in plan.shards:
        table = translated(plan, read_shard(shard, schema=plan.schema, reading=reading))
        commit_shard(shard, table, storage=storage, output=output, run_id="r")
    storage.publish(SUCCESS, b"")
    return storage


def translated(plan: Plan, table: pa.Table) -> pa.Table:
    """Return a shard's table as it leaves the last stage."""
    wordless = pc.invert(pc.match_substring_regex(table[TEXT], r"\pL").fill_null(False))
    for name, value in ((REASON, "no_words"), (DETAIL, "nothing to sign")):
        table = set_column(table, name, pc.if_else(wordless, value, None))
    for field in translation_fields(alternatives=False):
        if field.name in ("source_text", "translation"):
            column = table[TEXT]
        elif field.name in table.column_names:
            continue
        else:
            example = [] if field.name == "flags" else EXAMPLES.get(field.type, field.name)
            kind = pa.string() if pa.types.is_dictionary(field.type) else field.type
            column = pa.array([example] * table.num_rows, kind).cast(field.type)
        table = set_column(table, field.name, column)
    return table
