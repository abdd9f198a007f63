"""Where rows belong in their shard, from the columns that say where they came from."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslbatch.shards.shard import Shard


def positions(shard: Shard, table: pa.Table) -> npt.NDArray[np.int64]:
    """Return the position of each row in its shard.

    Args:
        shard: The plan's entry.
        table: Rows with `source_uri` and `source_row`.

    Returns:
        An int64 array with an entry a row: from 0 up to but without `shard.rows`; -1 where the
        row is none of the shard's.
    """
    uris = [piece.source.uri for piece in shard.pieces]
    counts = np.array([piece.rows for piece in shard.pieces])
    starts = np.array([piece.row_start for piece in shard.pieces])
    offsets = np.cumsum(counts) - counts
    found = pc.index_in(table["source_uri"].cast(pa.string()), value_set=pa.array(uris))
    piece = found.fill_null(-1).to_numpy()
    row = table["source_row"].to_numpy() - starts[piece]
    is_ours = (piece >= 0) & (row >= 0) & (row < counts[piece])
    return np.where(is_ours, offsets[piece] + row, -1)
