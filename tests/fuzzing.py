"""Whatever a file holds: only errors meant for the user, every row once, and never a hang."""

import faulthandler
import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import fuzz_inputs as make
import pyarrow as pa

from aslbatch.errors import AslbatchError
from aslbatch.shards.plan import Plan, make_plan
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Shard
from aslbatch.shards.sources import list_sources

MOST_SECONDS = 5.0
_POOL = 64
_MOST_FAILURES = 20


@dataclass(frozen=True)
class Parser:
    """What is fuzzed under a name: how files are made, their endings, and the text column."""

    make: Callable[[Random], bytes]
    endings: tuple[str, ...]
    text_column: str = "text"


PARSERS = {
    "srt": Parser(make.srt, (".srt", ".srt", ".srt.gz")),
    "vtt": Parser(make.vtt, (".vtt",)),
    "ass": Parser(make.ass, (".ass", ".ssa")),
    "tmx": Parser(make.tmx, (".tmx", ".tmx", ".tmx.gz"), "en"),
    "jsonl": Parser(make.jsonl, (".jsonl", ".jsonl", ".jsonl.gz")),
    "csv": Parser(make.delimited(","), (".csv", ".csv", ".csv.gz")),
    "tsv": Parser(make.delimited("\t"), (".tsv",)),
    "text": Parser(make.lines, (".txt", ".txt", ".txt.gz")),
    "parquet": Parser(make.parquet, (".parquet",)),
    "arrow": Parser(make.arrow, (".arrow",)),
    "zip": Parser(make.zipped, (".zip",)),
    "tar": Parser(make.tarred, (".tar", ".tar", ".tar.gz")),
}


@dataclass
class Tally:
    """What came of the inputs of one parser.

    Attributes:
        inputs: How many files were read.
        rows: Rows in them.
        rejected: Rows of those that have no text.
        refused: Files that an `AslbatchError` refused.
        seconds: Time it took.
        slowest: The longest time for one file, in seconds.
        failures: What went wrong, by the file that it went wrong with.
    """

    inputs: int = 0
    rows: int = 0
    rejected: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def fuzz(name: str, *, inputs: int, seed: int, folder: Path) -> Tally:
    """Feed many files to one parser.

    Args:
        name: A key of `PARSERS`.
        inputs: How many files.
        seed: Decides all of them.
        folder: Where they are written, one at a time; those that fail stay. A hang ends the
            process, and leaves the file that it came of.
    """
    parser = PARSERS[name]
    rng = Random(f"{seed} {name}")
    good = [parser.make(rng) for _ in range(_POOL)]
    tally = Tally()
    started = time.monotonic()
    while tally.inputs < inputs and len(tally.failures) < _MOST_FAILURES:
        tally.inputs += 1
        good[rng.randrange(_POOL)] = parser.make(rng)
        data = rng.choice(good)
        if rng.random() < 0.7:
            data = make.harmed(rng, data, rng.choice(good))
        file = folder / f"{name}-{tally.inputs}{rng.choice(parser.endings)}"
        file.write_bytes(gzip.compress(data, 1) if file.suffix == ".gz" else data)
        begun = time.monotonic()
        faulthandler.dump_traceback_later(4 * MOST_SECONDS, exit=True)
        try:
            _read(file, parser.text_column, rng, tally)
        except Exception as error:  # everything else is what is looked for
            tally.failures[file.name] = f"{type(error).__name__}: {error}"[:300]
        faulthandler.cancel_dump_traceback_later()
        took = time.monotonic() - begun
        tally.slowest = max(tally.slowest, took)
        if took > MOST_SECONDS:
            tally.failures[file.name] = f"took {took:.1f} s"
        if file.name not in tally.failures:
            file.unlink()
    tally.seconds = time.monotonic() - started
    return tally


def _read(file: Path, text_column: str, rng: Random, tally: Tally) -> None:
    reading = Reading(
        text_column=text_column
        if file.suffix not in (".zip", ".tar") or rng.random() < 0.8
        else "en",
        subtitle_rows=rng.choice(("cue", "turn", "sentence")),
    )
    try:
        sources = list_sources([str(file)], storage_options={})
        plans = [
            make_plan(sources, reading=reading, shard_rows=rows)
            for rows in (rng.randrange(1, 9), 1_000_000)
        ]
    except AslbatchError as error:
        if file.name not in error.message:
            raise ValueError(f"does not name the file: {error.message}") from error
        tally.refused += 1
        return
    cut, rows = (_read_all(plan, reading) for plan in plans)
    tally.rows += rows.num_rows
    tally.rejected += rows.num_rows - rows["_reject_reason"].null_count
    assert cut.num_rows == rows.num_rows == plans[0].rows
    _check(cut, rows)


def _read_all(plan: Plan, reading: Reading) -> pa.Table:
    """Read a plan as one shard of many pieces, as starting a thread takes longer than reading."""
    pieces = tuple(piece for shard in plan.shards for piece in shard.pieces)
    return read_shard(Shard("all", 0, pieces), schema=plan.schema, reading=reading)


def _check(cut: pa.Table, rows: pa.Table) -> None:
    """Check that every row has either a text or a reason, and is the same however it is cut."""
    cut.validate(full=True)
    rows.validate(full=True)
    assert (rows["_text"].is_null().to_pylist()) == rows["_reject_reason"].is_valid().to_pylist()
    where = ["source_uri", "source_row"]
    assert cut.select(where).to_pylist() == rows.select(where).to_pylist()
    # How much of a damaged file can be read depends on where it is entered.
    reasons = {*cut["_reject_reason"].to_pylist(), *rows["_reject_reason"].to_pylist()}
    if "unreadable" not in reasons:
        found = ["_text", "_reject_reason"]
        assert cut.select(found).to_pylist() == rows.select(found).to_pylist()
