"""What a training is made of, as it travels to its workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aslbatch.cluster.training_progress import TrainingReporter
from aslbatch.config.train import TrainConfig
from aslbatch.pipelines.pair_rows import PairFiles
from aslbatch.storage.folder import Storage


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """What a worker of a training is told.

    Attributes:
        config: What was asked for.
        data: The files of each entry of `data`.
        validation: Those of `validation`, where there is one.
        start: Where workers find the checkpoint that training starts from; None for a new model.
        start_options: Arguments of the file system that it is copied from; they may be secrets.
        has_gloss: Whether that checkpoint knows the code of gloss.
        storage: The output folder.
        threads: CPU threads of each worker.
        device: `cpu` or `cuda`.
        reporter: Whom the first worker tells how far it is.
        record: What is recorded of the run at its end, besides what workers find out.
    """

    config: TrainConfig
    data: list[PairFiles]
    validation: PairFiles | None
    start: str | None
    start_revision: str | None
    start_options: Mapping[str, Any] = field(repr=False)
    has_gloss: bool
    storage: Storage
    threads: int
    device: str
    reporter: TrainingReporter
    record: dict[str, Any]
