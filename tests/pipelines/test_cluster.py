"""Sessions and pools."""

import pytest

from aslbatch.errors import ConfigError, ModelError, SourceError
from aslbatch.models.decoding import Decoding
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.worker import WorkerSettings, load_stage


def test_auto_gives_each_cpu_a_worker(cluster):
    import ray

    pool = cluster.pool(workers="auto", cpus_per_worker="auto", gpus_per_worker=0)
    assert pool.workers == int(ray.cluster_resources()["CPU"])
    assert (pool.cpus, pool.gpus) == (1, 0)
    # Reading and writing need room beside the workers.
    assert pool.workers * pool.logical_cpus < pool.workers


def test_more_workers_than_the_machine_holds_are_refused(cluster):
    with pytest.raises(ConfigError, match=r"1000 workers .* do not fit on this machine"):
        cluster.pool(workers=1_000, cpus_per_worker=1, gpus_per_worker=0)
    with pytest.raises(ConfigError, match=r"lower run\.workers"):
        cluster.pool(workers=1, cpus_per_worker="auto", gpus_per_worker=64)


@pytest.mark.usefixtures("cluster")
def test_an_error_of_a_task_arrives_as_itself():
    import ray

    @ray.remote
    def fail():
        raise SourceError("talks.parquet: gone")

    with pytest.raises(SourceError, match=r"^talks\.parquet: gone$") as caught, plain_errors():
        ray.get(fail.remote())
    assert type(caught.value) is SourceError


def test_a_node_with_other_weights_is_refused(tiny_model):
    settings = WorkerSettings(
        model="tiny",
        location=str(tiny_model),
        revision="",
        sha256="0" * 64,
        precision="float32",
        device="cpu",
        threads=1,
        decoding=Decoding(),
        max_tokens=None,
        source_lang="en_XX",
        target_lang="asl_GL",
        run_id="r",
    )
    with pytest.raises(ModelError, match="on this node, 0000000000000000 on the driver"):
        load_stage(settings)
