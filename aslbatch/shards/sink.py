"""The end of the pipeline: a Ray Datasink that commits each shard it is given."""

from collections.abc import Callable, Iterable

from ray.data import Datasink
from ray.data.block import Block, BlockAccessor
from ray.data._internal.execution.interfaces import TaskContext

from aslbatch.shards.cell import shard_of, unpack
from aslbatch.shards.commits import Commit, OutputFormat, commit_shard
from aslbatch.shards.storage import Storage


class ShardSink(Datasink[None]):
    """Commits shards to an output folder; what it did is in the commit records, not in Ray."""

    def __init__(
        self,
        storage: Storage,
        output: OutputFormat,
        *,
        run_id: str,
        on_commit: Callable[[Commit], None],
    ) -> None:
        """Make the sink.

        Args:
            storage: The output folder.
            output: What the files look like.
            run_id: The run that the shards belong to.
            on_commit: Called with each new record.
        """
        self._storage = storage
        self._output = output
        self._run_id = run_id
        self._on_commit = on_commit

    def write(self, blocks: Iterable[Block], ctx: TaskContext) -> None:
        """Commit every shard of some blocks; one row is one shard."""
        for block in blocks:
            rows = BlockAccessor.for_block(block).to_arrow()
            for index in range(rows.num_rows):
                row = rows.slice(index, 1)
                record = commit_shard(
                    self._storage, shard_of(row), unpack(row), self._output, run_id=self._run_id
                )
                self._on_commit(record)
