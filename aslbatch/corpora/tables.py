"""Rows as tables: one a split, and one of the rows that were dropped."""

from collections.abc import Sequence

import pyarrow as pa

from aslbatch.corpora.row import Dropped, Row
from aslbatch.provenance.hashing import source_hash
from aslbatch.schema import TAG, pair_fields


def kept_table(rows: Sequence[Row]) -> pa.Table:
    """Return rows as a table with the columns of `aslbatch.schema.pair_fields`."""
    return _table(_values(rows), pa.schema(pair_fields()))


def dropped_table(dropped: Sequence[Dropped]) -> pa.Table:
    """Return dropped rows with the same columns, and `drop_reason` and `drop_detail`.

    A row without a readable or usable text keeps it as it was read.
    """
    values = _values([each.row for each in dropped])
    values["drop_reason"] = [str(each.reason) for each in dropped]
    values["drop_detail"] = [each.detail for each in dropped]
    fields = [
        *(field.with_nullable(True) for field in pair_fields()),
        pa.field("drop_reason", TAG, nullable=False),
        pa.field("drop_detail", pa.string(), nullable=False),
    ]
    return _table(values, pa.schema(fields))


def _values(rows: Sequence[Row]) -> dict[str, list[object]]:
    made: dict[str, list[object]] = {
        "source_lang": ["en"] * len(rows),
        "target_lang": ["ase"] * len(rows),
        "flags": [list(row.flags) for row in rows],
        "source_hash": [source_hash(row.source) for row in rows],
    }
    own = [field.name for field in pair_fields() if field.name not in made]
    return made | {name: [getattr(row, name) for row in rows] for name in own}


def _table(values: dict[str, list[object]], schema: pa.Schema) -> pa.Table:
    arrays = [
        pa.array(values[field.name], field.type.value_type).dictionary_encode()
        if pa.types.is_dictionary(field.type)
        else pa.array(values[field.name], field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)
