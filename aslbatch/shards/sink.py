"""The end of the pipeline: a Ray Datasink that commits each shard it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
from ray.data import Datasink
from ray.data.block import Block, BlockAccessor

from aslbatch.shards.cell import shard_of, unpack
from aslbatch.shards.commits import Commit
from aslbatch.shards.shard import Shard

if TYPE_CHECKING:
    from ray.data._internal.execution.interfaces import TaskContext


class ShardSink(Datasink[None]):  # type: ignore[misc]  # Ray is not typed
    """Commits shards to an output folder; what it did is in the commit records, not in Ray."""

    def __init__(
        self, commit: Callable[[Shard, pa.Table], Commit], *, on_commit: Callable[[Commit], None]
    ) -> None:
        """Make the sink.

        Args:
            commit: Publishes a finished shard.
            on_commit: Called with each new record.
        """
        self._commit = commit
        self._on_commit = on_commit

    def write(self, blocks: Iterable[Block], ctx: TaskContext) -> None:
        """Commit every shard of some blocks; one row is one shard."""
        for block in blocks:
            rows = BlockAccessor.for_block(block).to_arrow()
            for index in range(rows.num_rows):
                row = rows.slice(index, 1)
                self._on_commit(self._commit(shard_of(row), unpack(row)))
