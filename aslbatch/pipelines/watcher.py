"""Whom a job tells what it is about to do and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aslbatch.cluster.progress import Progress
    from aslbatch.cluster.session import Pool
    from aslbatch.shards.plan import Plan
from aslbatch.shards.shard import Shard


class Watcher:
    """Is told the plan and the progress of a job; this one keeps silent."""

    def planned(self, plan: Plan, todo: Sequence[Shard], pool: Pool) -> None:
        """Learn what will be done, before it starts.

        Args:
            plan: All shards of the run.
            todo: Those that are not committed yet.
            pool: The workers that do them.
        """

    def progressed(self, progress: Progress) -> None:
        """Learn how far the run is; called every second from a thread of its own."""
