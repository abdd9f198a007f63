"""One worker of the pool: a model in memory that translates shard after shard."""

from functools import partial

import pyarrow as pa

import aslbatch
from aslbatch.cluster.progress import Reporter
from aslbatch.errors import ModelError
from aslbatch.models.calibration import Calibration
from aslbatch.models.checkpoint import find_checkpoint
from aslbatch.models.engine import Engine
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.worker_settings import WorkerSettings
from aslbatch.shards.attempts import Attempts
from aslbatch.shards.cell import pack, shard_of, unpack
from aslbatch.stages.audit import Audit
from aslbatch.stages.memo import Memo
from aslbatch.stages.translate import Translate
from aslbatch.text.languages import language_name


def load_model(settings: WorkerSettings) -> tuple[Engine, Tokenizer]:
    """Load the model of a job on this node.

    Raises:
        ModelError: This node finds another checkpoint than the driver did, or cannot load it.
    """
    from aslbatch.models.engines import load_engine

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
    return load_engine(
        checkpoint.folder,
        languages=(settings.source_lang, settings.target_lang),
        engine=settings.engine,
        precision=settings.precision,
        device=settings.device,
        threads=settings.threads,
        decoding=settings.decoding,
        shortlist=settings.shortlist,
        target_ratio=settings.target_ratio,
        fingerprint=checkpoint.sha256,
    )


def calibration(engine: Engine, tokenizer: Tokenizer, settings: WorkerSettings) -> Calibration:
    """Return what times the engine of a job."""
    return Calibration(
        engine,
        tokenizer,
        source_lang=settings.source_lang,
        target_lang=settings.target_lang,
        decoding=settings.decoding,
    )


def batch_budget(engine: Engine, tokenizer: Tokenizer, settings: WorkerSettings) -> int:
    """Return the most padded tokens of a batch: as the job says, or as measured here.

    Measured only where no result depends on it, see `aslbatch.models.engine.Batching`.
    """
    if settings.max_tokens is not None:
        return settings.max_tokens
    if engine.batching.equal_lengths:
        return calibration(engine, tokenizer, settings).best_budget()
    return engine.batching.max_tokens


def make_stage(
    engine: Engine, tokenizer: Tokenizer, settings: WorkerSettings, *, max_tokens: int
) -> Translate:
    """Return the stage that translates with a loaded model."""
    audit = None
    if engine.full is not None:
        audit = Audit(
            engine.full,
            target_lang=settings.target_lang,
            decoding=settings.decoding,
            max_tokens=max_tokens,
            share=settings.audited_share,
            least=settings.least_audited,
            least_agreement=settings.least_agreement,
        )
    return Translate(
        engine,
        tokenizer,
        source_lang=settings.source_lang,
        target_lang=settings.target_lang,
        decoding=settings.decoding,
        max_tokens=max_tokens,
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
        memo=Memo() if engine.batching.equal_lengths else None,
        audit=audit,
    )


class TranslateShards:
    """Holds a model and translates shards, one Ray row each; Ray makes one a worker."""

    def __init__(self, settings: WorkerSettings, attempts: Attempts, reporter: Reporter) -> None:
        engine, tokenizer = load_model(settings)
        budget = batch_budget(engine, tokenizer, settings)
        self._stage = make_stage(engine, tokenizer, settings, max_tokens=budget)
        self._attempts = attempts
        self._reporter = reporter

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Translate the shard of a batch of one row."""
        shard = shard_of(batch)
        report = partial(self._reporter.translated, shard.name)
        return pack(shard, self._attempts.run(shard, unpack(batch), self._stage, report))
