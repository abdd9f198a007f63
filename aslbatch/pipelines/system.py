"""What a system made of pairs: the translations that a finished run holds of them."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from aslbatch.config.score import Direction, PairsSection
from aslbatch.errors import SourceError
from aslbatch.pipelines.accounts import load_plan, read_records
from aslbatch.pipelines.pairs import Pair, Pairs
from aslbatch.pipelines.rows import rejected_rows, translated_rows
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.schema import SOURCE_ROW, SOURCE_URI
from aslbatch.shards.layout import RUN
from aslbatch.storage.folder import Storage

PROVENANCE = ("model", "model_revision", "model_sha256", "engine", "decoding", "run_id")
_SHOWN = 60

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class System:
    """The translations of pairs in one direction.

    Attributes:
        uri: The output folder that they come from.
        translations: One a pair, in their order; None where the input was rejected.
        provenance: Model, engine, decoding and run: every value that rows carry.
    """

    uri: str
    translations: list[str | None]
    provenance: dict[str, list[str]]

    @property
    def rejected(self) -> int:
        """How many pairs have no translation."""
        return self.translations.count(None)


def read_compared(
    storage: Storage, direction: Direction, pairs: Pairs, config: PairsSection
) -> System:
    """Return the translations of another score job.

    Args:
        storage: The output folder of that job.
        direction: Which way.
        pairs: What it must have translated too.
        config: The columns of the pairs.

    Raises:
        SourceError: It has not translated this way, or not just these pairs.
        AslbatchError: Its translations are not finished, or damaged.
    """
    folder = storage.below(direction)
    if not folder.exists(RUN):
        raise SourceError(
            f"compare_with: there are no translations in {folder.uri}; run a score job with that "
            f"sink.path and {direction} among its directions first, or leave {direction} out here"
        )
    return read_system(folder, pairs, config)


def read_system(storage: Storage, pairs: Pairs, config: PairsSection) -> System:
    """Return the translations of pairs, which are looked up by source and row.

    Args:
        storage: The output folder of a translation.
        pairs: What must have been translated.
        config: The columns of the pairs.

    Raises:
        SourceError: A pair is missing there, or has another text.
        AslbatchError: The translation is not finished, or damaged.
    """
    rows = _rows(storage, config)
    found = [_row_of(pair, rows, storage, config) for pair in pairs.scored]
    return System(
        storage.uri,
        [row["translation"] for row in found],
        {name: sorted({row[name] for row in found if row.get(name)}) for name in PROVENANCE},
    )


def _row_of(
    pair: Pair, rows: dict[tuple[str, int], Row], storage: Storage, config: PairsSection
) -> Row:
    row = rows.get((pair.source_uri, pair.source_row))
    where = f"{pair.source_uri} row {pair.source_row}"
    remedy = f"run the job that wrote {storage.uri} again, on the pairs of this one"
    if row is None:
        raise SourceError(
            f"{where}: not among the translations in {storage.uri}, which begin with "
            f"{next(iter(rows))[0]}; {remedy}, under the same path and from the same folder"
        )
    for name, text in ((config.english, pair.english), (config.gloss, pair.gloss)):
        if row[name] != text:
            raise SourceError(
                f"{where}: {name!r} is {_shown(text)}, but was {_shown(row[name])} when the "
                f"translations in {storage.uri} were made; {remedy} (--overwrite)"
            )
    return row


def _shown(text: str | None) -> str:
    return repr(text if text is None or len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _rows(storage: Storage, config: PairsSection) -> dict[tuple[str, int], Row]:
    """Return all rows of a finished translation by source and row."""
    plan = load_plan(storage)
    records = read_records(storage, plan.shards, read_run_record(storage)["run_id"])
    names = [config.english, config.gloss]
    if missing := [name for name in names if name not in plan.schema.names]:
        raise SourceError(
            f"{storage.uri}: its translations have no column {missing[0]!r}, they have "
            f"{', '.join(map(repr, plan.schema.names))}; run that score job on the pairs of this "
            f"one, with the same pairs.english and pairs.gloss (--overwrite)"
        )
    columns = [SOURCE_URI, SOURCE_ROW, *(plan.schema.field(name) for name in names)]
    tags = [pa.field(name, pa.string()) for name in ("translation", *PROVENANCE)]
    tables = [*translated_rows(storage, records, pa.schema([*columns, *tags]))]
    rows = [row for table in tables for row in table.to_pylist()]
    for table in rejected_rows(storage, records, pa.schema(columns)):
        rows += ({**row, "translation": None} for row in table.to_pylist())
    return {(row["source_uri"], row["source_row"]): row for row in rows}
