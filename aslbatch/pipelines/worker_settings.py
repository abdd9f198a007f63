"""What a worker is made of: a run's configuration, unpacked into plain values that travel to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aslbatch.cluster.session import Pool
from aslbatch.models.decoding import Decoding
from aslbatch.models.shortlist import Shortlist
from aslbatch.pipelines.run import Run
from aslbatch.stages.audit import least_of_shard
from aslbatch.text.languages import mbart_code


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker is made of: plain values that travel to it.

    Attributes:
        model: Name of the checkpoint, as rows carry it.
        location: Where workers find it: a local folder's full path, else the same name.
        revision: Its revision as the driver resolved it; empty where there is none.
        storage_options: Arguments of the file system that it is copied from; they may be secrets.
        sha256: The fingerprint that it must have.
        engine: What runs the model.
        precision: Number format of its weights.
        device: `cpu` or `cuda`.
        threads: CPU threads of the engine.
        decoding: How to search.
        shortlist: What may be generated, None for everything.
        max_tokens: Most padded tokens a batch; None for what the engine is best at.
        target_ratio: Target tokens a source token that are searched at first.
        audited_share: Share of texts that are translated without the shortlist too.
        least_audited: Texts of a shard at least that are.
        least_agreement: Share of them that should come out the same; 0 for no alarm.
        source_lang: mBART-50 code.
        target_lang: mBART-50 code.
        run_id: The run that the rows belong to.
    """

    model: str
    location: str
    revision: str
    storage_options: Mapping[str, Any] = field(repr=False)
    sha256: str
    engine: str
    precision: str
    device: str
    threads: int
    decoding: Decoding
    shortlist: Shortlist | None
    max_tokens: int | None
    target_ratio: float | None
    audited_share: float
    least_audited: float
    least_agreement: float
    source_lang: str
    target_lang: str
    run_id: str


def worker_settings(run: Run, pool: Pool, *, alarm: bool = True) -> WorkerSettings:
    """Unpack a run's configuration for its workers.

    Args:
        run: The run.
        pool: Its workers.
        alarm: Whether they halt the run when the shortlist changes too much.
    """
    config, budget = run.config, run.config.batching.max_tokens
    return WorkerSettings(
        model=run.checkpoint.name,
        location=run.checkpoint.location,
        revision=run.checkpoint.revision,
        storage_options=config.model.storage_options,
        sha256=run.checkpoint.sha256,
        engine=pool.choice.engine,
        precision=pool.choice.precision,
        device=pool.choice.device,
        threads=pool.cpus,
        decoding=run.decoding,
        shortlist=pool.shortlist,
        max_tokens=None if budget == "auto" else budget,
        target_ratio=config.batching.target_ratio,
        audited_share=config.quality.audited_share,
        least_audited=least_of_shard(len(run.planned.shards)),
        least_agreement=config.quality.min_shortlist_agreement if alarm else 0.0,
        source_lang=mbart_code(config.languages.source),
        target_lang=mbart_code(config.languages.target),
        run_id=run.run_id,
    )
