"""The workers that a run gets of a cluster: what runs its model, how many, on what."""

from aslbatch.cluster.session import Cluster, Pool
from aslbatch.models.capabilities import CAPABILITIES, choose_engine
from aslbatch.models.inspection import count_weights
from aslbatch.pipelines.run import Run

_BYTES_OF = {"int8": 1, "float16": 2, "bfloat16": 2, "float32": 4}
_BYTES_BESIDE_WEIGHTS = 1 << 30
"""Tokenizer, Python and buffers of a batch, as measured with the full-size model."""


def pool_of(run: Run, cluster: Cluster) -> Pool:
    """Return the workers that a run's configuration asks a cluster for.

    Raises:
        ConfigError: The cluster does not hold as many.
        ModelError: No engine can do what is asked on its devices.
    """
    wanted, model = run.config.run, run.config.model
    gpus = cluster.gpus_of_worker(wanted.gpus_per_worker)
    choice = choose_engine(
        run.checkpoint.folder,
        engine=model.engine,
        precision=model.precision,
        shortlist=model.shortlist,
        device="cuda" if gpus else "cpu",
        decoding=run.decoding,
    )
    weights = count_weights(run.checkpoint) * _BYTES_OF[choice.precision]
    return cluster.pool(
        workers=wanted.workers,
        cpus_per_worker=wanted.cpus_per_worker,
        gpus_per_worker=gpus,
        choice=choice,
        shortlist=run.shortlist if CAPABILITIES[choice.engine].shortlist else None,
        worker_bytes=weights + _BYTES_BESIDE_WEIGHTS,
    )
