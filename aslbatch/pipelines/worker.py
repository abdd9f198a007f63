"""One worker of the pool: a model in memory that translates shard after shard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

import aslbatch
from aslbatch.cluster.progress import Reporter
from aslbatch.cluster.session import Pool
from aslbatch.errors import ModelError
from aslbatch.models.checkpoint import find_checkpoint
from aslbatch.models.decoding import Decoding
from aslbatch.pipelines.run import Run
from aslbatch.shards.attempts import Attempts
from aslbatch.shards.cell import pack, shard_of, unpack
from aslbatch.stages.translate import Translate
from aslbatch.text.languages import language_name, mbart_code


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker is made of: plain values that travel to it.

    Attributes:
        model: Name of the checkpoint, as rows carry it.
        location: Where workers find it: a local folder's full path, else the same name.
        revision: Its revision as the driver resolved it; empty where there is none.
        storage_options: Arguments of the file system that it is copied from; they may be secrets.
        sha256: The fingerprint that it must have.
        precision: `auto` or a number format.
        device: `cpu` or `cuda`.
        threads: CPU threads of the engine.
        decoding: How to search.
        max_tokens: Most padded tokens a batch; None goes by the device.
        source_lang: mBART-50 code.
        target_lang: mBART-50 code.
        run_id: The run that the rows belong to.
    """

    model: str
    location: str
    revision: str
    storage_options: Mapping[str, Any] = field(repr=False)
    sha256: str
    precision: str
    device: str
    threads: int
    decoding: Decoding
    max_tokens: int | None
    source_lang: str
    target_lang: str
    run_id: str


def worker_settings(run: Run, pool: Pool) -> WorkerSettings:
    """Unpack a run's configuration for its workers."""
    config, budget = run.config, run.config.batching.max_tokens
    return WorkerSettings(
        model=run.checkpoint.name,
        location=run.checkpoint.location,
        revision=run.checkpoint.revision,
        storage_options=config.model.storage_options,
        sha256=run.checkpoint.sha256,
        precision=config.model.precision,
        device="cuda" if pool.gpus else "cpu",
        threads=pool.cpus,
        decoding=Decoding(**config.decoding.model_dump()),
        max_tokens=None if budget == "auto" else budget,
        source_lang=mbart_code(config.languages.source),
        target_lang=mbart_code(config.languages.target),
        run_id=run.run_id,
    )


def load_stage(settings: WorkerSettings) -> Translate:
    """Load the model and return the stage that translates with it.

    Raises:
        ModelError: This node finds another checkpoint than the driver did, or cannot load it.
    """
    from aslbatch.models.engines import default_max_tokens, load_engine

    checkpoint = find_checkpoint(
        settings.location,
        revision=settings.revision or None,
        storage_options=settings.storage_options,
    )
    if checkpoint.sha256 != settings.sha256:
        raise ModelError(
            f"{settings.model}: fingerprint {checkpoint.sha256[:16]} on this node, "
            f"{settings.sha256[:16]} on the driver; pin model.revision, or give all nodes one copy"
        )
    engine, tokenizer = load_engine(
        checkpoint.folder,
        languages=(settings.source_lang, settings.target_lang),
        precision=settings.precision,
        device=settings.device,
        threads=settings.threads,
    )
    return Translate(
        engine,
        tokenizer,
        source_lang=settings.source_lang,
        target_lang=settings.target_lang,
        decoding=settings.decoding,
        max_tokens=settings.max_tokens or default_max_tokens(settings.device),
        stamps={
            "source_lang": language_name(settings.source_lang),
            "target_lang": language_name(settings.target_lang),
            "model": settings.model,
            "model_revision": settings.revision,
            "model_sha256": settings.sha256,
            "engine": engine.name,
            "decoding": settings.decoding.signature(aslbatch.__version__),
            "origin": "machine",
            "run_id": settings.run_id,
        },
    )


class TranslateShards:
    """Holds a model and translates shards, one Ray row each; Ray makes one a worker."""

    def __init__(self, settings: WorkerSettings, attempts: Attempts, reporter: Reporter) -> None:
        self._stage = load_stage(settings)
        self._attempts = attempts
        self._reporter = reporter

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Translate the shard of a batch of one row."""
        shard = shard_of(batch)
        report = partial(self._reporter.translated, shard.name)
        return pack(shard, self._attempts.run(shard, unpack(batch), self._stage, report))
