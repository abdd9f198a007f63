"""Whether all nodes of a cluster see the same files, asked before work starts."""

from collections.abc import Mapping, Sequence

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aslbatch.errors import SinkError, SourceError
from aslbatch.shards.layout import RUN
from aslbatch.shards.listing import fingerprint
from aslbatch.shards.source import Source
from aslbatch.storage.folder import Storage


def check_nodes(
    storage: Storage, sources: Sequence[Source], storage_options: Mapping[str, object]
) -> None:
    """Have every node look at the output folder and at one source.

    A local path is as good as any where a shared disk is mounted everywhere; where it is not, each
    node would write to a disk of its own, and the run would fail after all the work.

    Raises:
        SinkError: A node does not see the output folder.
        SourceError: A node does not see a source, or sees another one.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    if len(nodes) < 2:
        return
    look = ray.remote(num_cpus=0)(look_from_here)
    for node in nodes:
        here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        task = look.options(scheduling_strategy=here)
        ray.get(task.remote(storage, sources[0], dict(storage_options), node["NodeManagerAddress"]))


def look_from_here(
    storage: Storage, source: Source, storage_options: dict[str, object], node: str
) -> None:
    """Check that this node sees the claimed output folder and an unchanged source.

    Raises:
        SinkError: It does not see the output folder.
        SourceError: It does not see the source, or sees another one.
    """
    if not storage.exists(RUN):
        raise SinkError(
            f"{storage.uri}: node {node} does not see what the driver wrote there; use a URL such "
            f"as s3://bucket/out, or a full path on a disk that all nodes share"
        )
    try:
        found = fingerprint(source.path, storage_options)
    except OSError as error:
        raise SourceError(
            f"{source.uri}: node {node} cannot read it ({error}); {_ADVICE}"
        ) from error
    if found != (source.size, source.version):
        raise SourceError(f"{source.uri}: node {node} sees another file of that name; {_ADVICE}")


_ADVICE = "use a URL, or a full path on a disk that all nodes share"
