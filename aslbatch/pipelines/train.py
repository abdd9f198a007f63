"""Train a model on pairs of English and gloss, on one worker or many: the train job.

    check -> start checkpoint -> (step by step: train, measure, keep the state) -> adapter or model

Killed and run again, it goes on from the last state that was kept.
"""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

import aslbatch
from aslbatch.cluster.session import Cluster
from aslbatch.cluster.training_progress import TrainingProgress, TrainingReporter
from aslbatch.config.resolved import resolved
from aslbatch.config.train import TrainConfig
from aslbatch.models.checkpoint import Checkpoint, find_checkpoint
from aslbatch.models.inspection import check_checkpoint
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.ownership import check_free, check_owner, is_whole
from aslbatch.pipelines.pair_rows import PairFiles
from aslbatch.pipelines.run_record import run_record
from aslbatch.pipelines.train_crew import Crew, crew_of
from aslbatch.pipelines.train_data import scan
from aslbatch.pipelines.train_failure import EndAtFault
from aslbatch.pipelines.train_settings import TrainSettings
from aslbatch.pipelines.train_worker import train_worker
from aslbatch.provenance.identity import RunIdentity
from aslbatch.shards.layout import OWNED_BY_TRAINING, RUN, TRAINED, TRAINING, TRAINING_RAY
from aslbatch.storage.folder import Storage
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE

_NOT_DECISIVE = {"run", "sink"}


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to.

    Attributes:
        result: Where adapter or model lie.
        record: What `training.json` says.
    """

    result: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Job:
    """A training that may begin: everything it needs is there."""

    config: TrainConfig
    data: list[PairFiles]
    validation: PairFiles | None
    checkpoint: Checkpoint | None
    has_gloss: bool
    storage: Storage
    identity: RunIdentity = field(repr=False)


def train(
    config: TrainConfig,
    *,
    overwrite: bool = False,
    show: Callable[[TrainingProgress], None] | None = None,
    verbose: bool = False,
) -> Trained:
    """Run the job, or what an earlier run of it left undone.

    Args:
        config: What is trained on what, and how.
        overwrite: Delete another run's output instead of refusing it.
        show: Is told how far the training is, from a thread of its own.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: See `aslbatch.errors`; running the same job again goes on from the last
            state that was kept.
    """
    job = _examine(config)
    storage = job.storage
    _claim(job, overwrite=overwrite)
    if not storage.exists(TRAINING):
        with Cluster(verbose=verbose) as cluster, plain_errors():
            nodes = cluster.nodes()
            crew = crew_of(config.run, nodes, may_grow=not cluster.is_alone)
            reporter = TrainingReporter()
            with reporter.watched(show) if show else nullcontext():
                _fit(job, crew, reporter)
    record = json.loads(storage.read(TRAINING))
    return Trained(f"{storage.uri.rstrip('/')}/{TRAINED[config.method.kind]}", record)


def _examine(config: TrainConfig) -> _Job:
    """Check everything that can be checked before work starts; nothing is written."""
    storage = Storage(config.sink.path, config.sink.storage_options)
    data = [scan(f"data[{index}]", each, storage) for index, each in enumerate(config.data)]
    validation = scan("validation", config.validation, storage) if config.validation else None
    plans = [files.plan for files in (*data, *([validation] if validation else []))]
    checkpoint, start = None, config.start
    has_gloss, model = True, {}
    if start.name is not None:
        checkpoint = find_checkpoint(
            start.name, revision=start.revision, storage_options=start.storage_options
        )
        tokenizer = check_checkpoint(
            checkpoint, (ENGLISH_CODE,), max_length=config.training.max_length
        )
        has_gloss = tokenizer.has_language(GLOSS_CODE)
        model = checkpoint.identity
    resolved_config = resolved(config)
    for section in resolved_config["data"]:
        section.pop("license")  # it is written down, and changes no weight
    identity = RunIdentity(
        config={k: v for k, v in resolved_config.items() if k not in _NOT_DECISIVE}
        | {"sink": {"precision": config.sink.precision}},
        limit=None,
        sources=[fingerprint for plan in plans for fingerprint in plan.fingerprints],
        model=model,
        aslbatch=aslbatch.__version__,
    )
    return _Job(config, data, validation, checkpoint, has_gloss, storage, identity)


def _claim(job: _Job, *, overwrite: bool) -> None:
    """Take the output folder for this run.

    Raises:
        OutputMismatchError: It holds another run's output.
        SinkError: It cannot be written, or is not ours.
    """
    storage = job.storage
    if not storage.exists(RUN):
        check_free(storage, OWNED_BY_TRAINING)
    elif overwrite and not is_whole(storage, job.identity):
        for name in OWNED_BY_TRAINING:
            storage.delete(name)
    if not storage.publish_new(RUN, run_record(job.identity, job.config)):
        check_owner(storage, job.identity)


def _fit(job: _Job, crew: Crew, reporter: TrainingReporter) -> None:
    """Train on the cluster; workers that die are started again, and go on."""
    start = job.config.start
    settings = TrainSettings(
        config=job.config,
        data=job.data,
        validation=job.validation,
        start=job.checkpoint.location if job.checkpoint else None,
        start_revision=job.checkpoint.revision or None if job.checkpoint else None,
        start_options=start.storage_options,
        has_gloss=job.has_gloss,
        storage=job.storage,
        threads=crew.threads,
        device="cuda" if crew.gpus else "cpu",
        reporter=reporter,
        record=_record(job),
    )
    file_system, folder = job.storage.below(TRAINING_RAY).for_arrow()
    TorchTrainer(
        train_worker,
        train_loop_config=settings,
        scaling_config=ScalingConfig(
            num_workers=crew.workers,
            use_gpu=bool(crew.gpus),
            resources_per_worker={"CPU": crew.logical_cpus, "GPU": crew.gpus},
        ),
        run_config=RunConfig(
            name=job.identity.run_id,
            storage_path=folder,
            storage_filesystem=file_system,
            failure_config=FailureConfig(max_failures=job.config.run.max_failures),
            callbacks=[EndAtFault()],
        ),
    ).fit()
    job.storage.delete(TRAINING_RAY)


def _record(job: _Job) -> dict[str, Any]:
    """Return what `training.json` says of the run, besides what its workers find out."""
    return {
        "run_id": job.identity.run_id,
        "config": resolved(job.config),
        "model": job.identity.model,
        "sources": job.identity.sources,
        "aslbatch": aslbatch.__version__,
    }
