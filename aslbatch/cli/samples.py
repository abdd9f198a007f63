"""A few pairs of an output, to show what it is like."""

import pyarrow as pa

from aslbatch.shards.encoding import decode
from aslbatch.shards.layout import DATA
from aslbatch.storage.folder import Storage

_LONGEST = 70
_COLUMNS = pa.schema([("source_text", pa.string()), ("translation", pa.string())])


def sample_pairs(storage: Storage, count: int) -> list[tuple[str, str]]:
    """Return short pairs of source and translation, spread over the files of an output.

    Args:
        storage: The output folder.
        count: How many at most; each source text appears once.
    """
    names = storage.names(DATA)
    step = max(1, len(names) // count)
    found: dict[str, str] = {}
    chosen = names[::step][:count]
    for number, name in enumerate(chosen):
        wanted = -(-(count - len(found)) // (len(chosen) - number))
        found |= dict(_pairs(name, storage.read(f"{DATA}/{name}"), wanted, set(found)))
    return list(found.items())


def _pairs(name: str, data: bytes, count: int, known: set[str]) -> list[tuple[str, str]]:
    table = decode(name, data, _COLUMNS)
    pairs = dict(zip(table[0].to_pylist(), table[1].to_pylist(), strict=True))
    short = [
        (source, translation)
        for source, translation in pairs.items()
        if len(source) <= _LONGEST and source not in known
    ]
    return short[:: max(1, len(short) // count)][:count]
