"""What each cleaning switch changes in a corpus: rows with it on against off, all else default.

python bench/cleaning.py [SOURCE...] [--text-column text] [--format auto] [--json FILE]

Without a source it reads a folder of every nasty kind of subtitle file.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from nasty import write_nasty

from aslbatch.schema import TEXT
from aslbatch.shards.plan import make_plan
from aslbatch.shards.read import read_shard
from aslbatch.shards.reading import Reading
from aslbatch.shards.sources import list_sources
from aslbatch.text.normalize import NormalizeRules, normalize

SHARD_ROWS = 20_000
WIDEST_EXAMPLE = 60
DEFAULT = NormalizeRules()


@dataclass
class Effect:
    """What one switch does.

    Attributes:
        rows_changed: Rows whose cleaned text is another one with the switch on than with it off.
        original: The first of them, as it was read; None where there is none.
        off: It, cleaned with the switch off.
        on: It, cleaned with all defaults.
    """

    rows_changed: int = 0
    original: str | None = None
    off: str | None = None
    on: str | None = None


def main() -> None:
    """Print one line a switch, and write the numbers where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", help="files, folders, globs, archives")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--format", default="auto")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.sources:
            write_nasty(Path(folder))
        sources = options.sources or [folder]
        rows, effects = measure(texts(sources, options.text_column, options.format))
    print(f"{rows:,} rows")
    for switch, effect in effects.items():
        print(
            f"{switch:<18} {effect.rows_changed:>9,} {effect.rows_changed / max(rows, 1):>8.3%}"
            + (f"  {shown(effect.off)} -> {shown(effect.on)}" if effect.rows_changed else "")
        )
    if options.json:
        results = {
            "sources": options.sources or "tests/nasty.py",
            "rows": rows,
            "switches": {switch: asdict(effect) for switch, effect in effects.items()},
            "machine": machine(),
        }
        options.json.write_text(
            json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def texts(paths: Sequence[str], text_column: str, wanted: str) -> Iterator[str]:
    """Yield the texts that a job would clean, from the readers that a job uses."""
    reading = Reading(text_column)
    plan = make_plan(
        list_sources(paths, format=wanted, storage_options={}),
        reading=reading,
        shard_rows=SHARD_ROWS,
    )
    for shard in plan.shards:
        table = read_shard(shard, schema=plan.schema, reading=reading)
        yield from (text for text in table[TEXT].to_pylist() if text is not None)


def measure(corpus: Iterator[str]) -> tuple[int, dict[str, Effect]]:
    """Return the number of rows, and the effect of each switch."""
    without = {
        field.name: replace(DEFAULT, **{field.name: False})
        for field in fields(NormalizeRules)
        if field.type is bool
    }
    effects = {switch: Effect() for switch in without}
    rows = 0
    for text in corpus:
        rows += 1
        on = normalize(text, DEFAULT)
        for switch, rules in without.items():
            off = normalize(text, rules)
            if off != on:
                effect = effects[switch]
                effect.rows_changed += 1
                if effect.original is None:
                    effect.original, effect.off, effect.on = text, off, on
    return rows, effects


def shown(text: str | None) -> str:
    """Return a text as an example on the screen: quoted, and cut where it is long."""
    text = text or ""
    return repr(text if len(text) <= WIDEST_EXAMPLE else f"{text[:WIDEST_EXAMPLE]}...")


if __name__ == "__main__":
    main()
