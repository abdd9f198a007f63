"""A run and its output folder: opened, compared with what lies there, and planned once."""

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aslbatch
from aslbatch.cluster.session import Cluster, Pool
from aslbatch.config.resolved import resolved
from aslbatch.config.translate import TranslateConfig
from aslbatch.errors import OutputMismatchError, SinkError
from aslbatch.models.checkpoint import Checkpoint, find_checkpoint
from aslbatch.models.inspection import check_checkpoint
from aslbatch.provenance.identity import RunIdentity
from aslbatch.shards.commits import OutputFormat, committed
from aslbatch.shards.layout import OWNED, PLAN, RUN
from aslbatch.shards.plan import (
    Plan,
    Shard,
    auto_shard_rows,
    make_plan,
    plan_from_parquet,
    plan_to_parquet,
)
from aslbatch.shards.sources import Source, list_sources
from aslbatch.shards.storage import Storage
from aslbatch.text.languages import mbart_code


@dataclass(frozen=True, slots=True)
class Run:
    """A translation of some sources into an output folder.

    Attributes:
        config: What was asked for.
        limit: Most rows read, None for all.
        identity: Everything that decides the output's bytes.
        run_id: Its hash.
        driver_id: Names this process; another one for each time that the run is resumed.
        checkpoint: The model.
        sources: The files read.
        storage: The output folder.
        plan: The shards, once they are planned.
    """

    config: TranslateConfig
    limit: int | None
    identity: RunIdentity
    driver_id: str
    checkpoint: Checkpoint
    sources: list[Source]
    storage: Storage
    plan: Plan | None = None

    @property
    def run_id(self) -> str:
        """The run's name, derived from its identity."""
        return self.identity.run_id

    @property
    def planned(self) -> Plan:
        """The plan, which must have been made."""
        if self.plan is None:
            raise RuntimeError("the run is not planned yet")
        return self.plan

    @property
    def output(self) -> OutputFormat:
        """What the run's files look like."""
        return OutputFormat(
            self.planned.schema,
            self.config.decoding.num_return_sequences > 1,
            self.config.sink.compression,
        )

    def todo(self) -> list[Shard]:
        """Return the planned shards that are not committed."""
        done = committed(self.storage)
        return [shard for shard in self.planned.shards if shard.name not in done]

    def pool(self, cluster: Cluster) -> Pool:
        """Return the workers that the configuration asks a cluster for.

        Raises:
            ConfigError: The cluster does not hold as many.
        """
        wanted = self.config.run
        return cluster.pool(
            workers=wanted.workers,
            cpus_per_worker=wanted.cpus_per_worker,
            gpus_per_worker=wanted.gpus_per_worker,
        )

    def cut(self, pool: Pool) -> Plan:
        """Scan the sources and cut them into shards for a pool of workers.

        Raises:
            SourceError: A source cannot be read, or there is nothing in them.
        """
        source, rows = self.config.source, self.config.run.shard_rows
        return make_plan(
            self.sources,
            text_column=source.text_column,
            columns=source.columns,
            shard_rows=partial(auto_shard_rows, workers=pool.workers) if rows == "auto" else rows,
            limit=self.limit,
            storage_options=source.storage_options,
        )

    def with_plan(self, pool: Pool) -> "Run":
        """Return the run with its plan: the stored one, or a new one, which is then stored.

        Raises:
            SourceError: A source cannot be read, or there is nothing in them.
            SinkError: The plan cannot be stored.
        """
        if self.plan is not None:
            return self
        plan = self.cut(pool)
        if not self.storage.publish_new(PLAN, plan_to_parquet(plan)):
            plan = plan_from_parquet(self.storage.read(PLAN))  # another driver was faster
        return replace(self, plan=plan)


def open_run(config: TranslateConfig, *, limit: int | None = None, overwrite: bool = False) -> Run:
    """Check everything that can be checked before work starts, and claim the output folder.

    Args:
        config: What was asked for.
        limit: Most rows read, None for all.
        overwrite: Delete another run's output instead of refusing it.

    Raises:
        SourceError: A source is missing or of an unknown kind.
        ModelError: The checkpoint is missing, or does not know the languages.
        SinkError: The output folder cannot be written.
        OutputMismatchError: It holds another run's output.
    """
    run = examine(config, limit=limit)
    if overwrite and not _holds(run.storage, run.run_id):
        for name in OWNED:
            run.storage.delete(name)
    if run.storage.exists(RUN) or not run.storage.publish_new(RUN, _run_record(run)):
        _check_owner(run)
    stored = run.storage.read(PLAN) if run.storage.exists(PLAN) else None
    return replace(run, plan=plan_from_parquet(stored)) if stored else run


def examine(config: TranslateConfig, *, limit: int | None) -> Run:
    """Find sources and model and check them, without touching the output folder."""
    sources = list_sources(
        config.source.paths,
        format=config.source.format,
        storage_options=config.source.storage_options,
    )
    checkpoint = find_checkpoint(config.model.name, revision=config.model.revision)
    languages = mbart_code(config.languages.source), mbart_code(config.languages.target)
    check_checkpoint(checkpoint, languages)
    identity = RunIdentity.of(
        resolved(config),
        limit=limit,
        sources=[{"uri": s.uri, "size": s.size, "version": s.version} for s in sources],
        model={
            "name": checkpoint.name,
            "revision": checkpoint.revision,
            "sha256": checkpoint.sha256,
        },
        version=aslbatch.__version__,
    )
    storage = Storage(config.sink.path, config.sink.storage_options)
    return Run(config, limit, identity, uuid.uuid4().hex[:12], checkpoint, sources, storage)


def read_run_record(storage: Storage) -> dict[str, Any]:
    """Return what `_plan/run.json` of an output folder says.

    Raises:
        SinkError: The folder holds no run, or its record is damaged.
    """
    try:
        record: dict[str, Any] = json.loads(storage.read(RUN))
        record["run_id"], record["identity"], record["config"]
    except FileNotFoundError as error:
        raise SinkError(
            f"{storage.uri}: no {RUN} there; expected the output folder of a translate job"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SinkError(
            f"{storage.uri}/{RUN} is damaged ({error}); restore or delete it"
        ) from error
    return record


def _run_record(run: Run) -> bytes:
    record = {
        "run_id": run.run_id,
        "identity": run.identity.as_dict(),
        "config": resolved(run.config),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def _holds(storage: Storage, run_id: str) -> bool:
    return storage.exists(RUN) and read_run_record(storage)["run_id"] == run_id


def _check_owner(run: Run) -> None:
    record = read_run_record(run.storage)
    if record["run_id"] == run.run_id:
        return
    differences = run.identity.differences(record["identity"])
    raise OutputMismatchError(
        "\n".join(
            [
                f"{run.storage.uri} holds run {record['run_id']}, this would be {run.run_id}; "
                f"what differs:",
                *(f"  {line}" for line in differences),
                "choose another sink.path, or delete that run on purpose with --overwrite",
            ]
        )
    )
