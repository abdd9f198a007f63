"""A small corpus and the job that translates it."""

from pathlib import Path

import pyarrow.parquet as pq

from aslbatch.config.translate import TranslateConfig

LINES = [
    "The boy bought a red car yesterday.",
    "Where do you live?",
    "",
    "<i></i>",
    "I don't like coffee.",
    "Where do you live?",
    "My name is Anna.",
    "♪ ♪",
]


def config(**sections):
    """Return the job's configuration, sections laid over it."""
    values = {
        "source": {"paths": ["a.parquet", "b.jsonl", "c.txt"]},
        "model": {"name": "demo"},
        "sink": {"path": "out"},
        "run": {"shard_rows": 16, "workers": 1},
    }
    for name, section in sections.items():
        values[name] = values.get(name, {}) | section
    return TranslateConfig.model_validate(values)


def read(folder, kind="data"):
    """Return the rows of an output."""
    return pq.read_table(Path(folder) / kind).to_pylist()


def hashes(folder):
    """Return the bytes of each data file by its name."""
    return {path.name: path.read_bytes() for path in sorted(Path(folder, "data").iterdir())}
