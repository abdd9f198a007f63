"""Sessions and pools."""

import gc
import weakref
from contextlib import suppress

import pytest
from s3_server import KEY, SECRET

from aslbatch.cluster.progress import Reporter
from aslbatch.cluster.session import Cluster, fit
from aslbatch.errors import AslbatchError, ConfigError, ModelError, SinkError, SourceError
from aslbatch.models.capabilities import Choice
from aslbatch.models.checkpoint import find_checkpoint
from aslbatch.models.decoding import Decoding
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.nodes import look_from_here
from aslbatch.pipelines.worker import load_model
from aslbatch.pipelines.worker_settings import WorkerSettings
from aslbatch.shards.layout import RUN
from aslbatch.shards.sources import list_sources
from aslbatch.storage.folder import Storage

CHOICE = Choice("ctranslate2", "int8", "cpu")


def test_auto_gives_each_cpu_a_worker(cluster):
    import ray

    pool = cluster.pool(workers="auto", cpus_per_worker="auto", gpus_per_worker=0, choice=CHOICE)
    assert pool.workers == int(ray.cluster_resources()["CPU"])
    assert (pool.cpus, pool.gpus) == (1, 0)
    # Reading and writing need room beside the workers.
    assert pool.workers * pool.logical_cpus < pool.workers


@pytest.mark.usefixtures("cluster")
def test_a_job_lets_go_of_what_a_failed_one_before_it_still_holds():
    class Workers:
        pass

    held = Workers()
    held.error = held  # as an error holds the frames that hold it
    gone = weakref.ref(held)
    gc.disable()
    try:
        del held
        assert gone() is not None
        Cluster().start()
        assert gone() is None
    finally:
        gc.enable()


def test_explicit_workers_are_not_cut_by_memory(cluster):
    wanted = {"cpus_per_worker": "auto", "gpus_per_worker": 0, "choice": CHOICE}
    pool = cluster.pool(workers=2, worker_bytes=1 << 50, **wanted)
    assert (pool.workers, pool.cpus) == (2, 1)


@pytest.mark.parametrize(
    ("nodes", "threads", "expected"),
    [
        ([(2, 100)], None, (2, 1)),
        ([(16, 12)], None, (8, 2)),  # no core idle
        ([(16, 1)], None, (1, 16)),
        ([(2, 1), (2, 1)], None, (2, 2)),  # never more threads than a node has
        ([(64, 4), (2, 1)], None, (5, 2)),
        ([(8, 3)], 2, (3, 2)),
        ([(0, 50), (4, 50)], None, (4, 1)),  # a head without cores
        ([(4, 0)], None, (1, 4)),  # too little for any: tried all the same
    ],
)
def test_memory_is_counted_node_by_node(nodes, threads, expected):
    resources = [{"CPU": cpus, "memory": held * 1_200.0} for cpus, held in nodes]
    assert fit(resources, worker_bytes=1_000, threads=threads) == expected


def test_a_cluster_that_is_joined_may_grow(cluster):
    joined = Cluster()
    assert (cluster.is_alone, joined.is_alone) == (True, False)
    assert joined.nodes() == cluster.nodes()
    assert [node["CPU"] >= 1 for node in cluster.nodes()] == [True]
    assert not joined.is_alone


def test_more_workers_than_the_machine_holds_are_refused(cluster):
    with pytest.raises(ConfigError, match=r"1000 workers .* do not fit on this machine"):
        cluster.pool(workers=1_000, cpus_per_worker=1, gpus_per_worker=0, choice=CHOICE)
    with pytest.raises(ConfigError, match=r"lower run\.workers"):
        cluster.pool(workers=1, cpus_per_worker="auto", gpus_per_worker=64, choice=CHOICE)


@pytest.mark.usefixtures("cluster")
def test_an_error_of_a_task_arrives_as_itself():
    import ray

    @ray.remote
    def fail():
        raise SourceError("talks.parquet: gone")

    with pytest.raises(SourceError, match=r"^talks\.parquet: gone$") as caught, plain_errors():
        ray.get(fail.remote())
    assert type(caught.value) is SourceError


@pytest.mark.usefixtures("cluster")
def test_a_fault_of_another_kind_is_one_line():
    import ray

    @ray.remote
    def fail():
        raise ZeroDivisionError("by nothing")

    with pytest.raises(AslbatchError) as caught, plain_errors():
        ray.get(fail.remote())
    assert caught.value.message == "a worker failed: ZeroDivisionError: by nothing; -v shows more"


@pytest.mark.usefixtures("cluster")
def test_a_lost_board_costs_the_display_not_the_run():
    import ray

    reporter, seen = Reporter(), []
    reporter.translated("part-0", 7)
    assert reporter.counts() == (7, 0, 0)
    ray.kill(reporter._board)
    with suppress(ray.exceptions.RayActorError):
        while ray.get(reporter._board.counts.remote()):  # a killed actor may answer a while yet
            pass
    with reporter.watched(seen.append):
        reporter.translated("part-0", 9)
    assert seen[-1].rows == 7


def test_a_node_without_the_shared_disk_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("hi")
    (source,) = list_sources([str(tmp_path / "a.txt")], storage_options={})
    storage = Storage(str(tmp_path / "out"))
    with pytest.raises(SinkError, match=r"node 10\.0\.0\.7 does not see what the driver wrote"):
        look_from_here(storage, source, {}, "10.0.0.7")
    storage.publish(RUN, b"{}")
    look_from_here(storage, source, {}, "10.0.0.7")
    (tmp_path / "a.txt").write_text("other")
    with pytest.raises(SourceError, match="sees another file of that name"):
        look_from_here(storage, source, {}, "10.0.0.7")
    (tmp_path / "a.txt").unlink()
    with pytest.raises(SourceError, match="cannot read it"):
        look_from_here(storage, source, {}, "10.0.0.7")


def test_a_cluster_that_is_not_there_is_named(monkeypatch):
    import ray

    def refuse(**_):
        raise ConnectionError("no GCS")

    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(AslbatchError, match=r"joined at RAY_ADDRESS = 127\.0\.0\.1:1: no GCS"):
        Cluster().start()


def settings(location, **changes):
    values = {
        "model": "tiny",
        "location": str(location),
        "revision": "",
        "storage_options": {},
        "sha256": "0" * 64,
        "engine": "ctranslate2",
        "precision": "float32",
        "device": "cpu",
        "threads": 1,
        "decoding": Decoding(),
        "shortlist": None,
        "max_tokens": None,
        "target_ratio": 2.0,
        "audited_share": 0.0,
        "least_audited": 0.0,
        "least_agreement": 0.0,
        "source_lang": "en_XX",
        "target_lang": "asl_GL",
        "run_id": "r",
    }
    return WorkerSettings(**(values | changes))


def test_a_node_with_other_weights_is_refused(tiny_model):
    with pytest.raises(ModelError, match="on this node, 0000000000000000 on the driver"):
        load_model(settings(tiny_model))


def test_a_node_fetches_the_model_with_the_options_of_the_run(
    tiny_model, s3, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    worker = settings(
        s3.upload(tiny_model, "models/tiny"),
        storage_options=s3.storage_options,
        sha256=find_checkpoint(str(tiny_model)).sha256,
    )
    assert load_model(worker)[0].name.endswith("|float32|cpu")
    assert SECRET not in repr(worker)
    assert KEY not in repr(worker)
