"""A run and its output folder: opened, compared with what lies there, and planned once."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import aslbatch
from aslbatch.cluster.session import Pool
from aslbatch.config.resolved import resolved
from aslbatch.config.section import Section
from aslbatch.config.translate import SourceSection, TranslateConfig
from aslbatch.models.checkpoint import Checkpoint, find_checkpoint
from aslbatch.models.decoding import Decoding
from aslbatch.models.inspection import check_checkpoint
from aslbatch.models.shortlist import Shortlist, make_shortlist
from aslbatch.pipelines.accounts import uncommitted
from aslbatch.pipelines.claim import OVERWRITE, claimed
from aslbatch.pipelines.label_journal import check_nothing_asked
from aslbatch.pipelines.ownership import check_apart, check_free, check_owner, is_whole
from aslbatch.pipelines.run_record import recorded_run_id, run_record
from aslbatch.provenance.identity import RunIdentity
from aslbatch.shards.layout import OWNED, PLAN, RUN
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.plan import Plan, auto_shard_rows, make_plan
from aslbatch.shards.plan_file import plan_from_parquet, plan_to_parquet
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Shard
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources
from aslbatch.storage.folder import Storage
from aslbatch.text.languages import mbart_code
from aslbatch.text.normalize import NormalizeRules


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
        shortlist: What it may generate, None for everything.
        sources: The files read.
        storage: The output folder.
        plan: The shards, once they are planned.
    """

    config: TranslateConfig
    limit: int | None
    identity: RunIdentity
    driver_id: str
    checkpoint: Checkpoint
    shortlist: Shortlist | None
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
            self.config.sink.format,
        )

    @property
    def reading(self) -> Reading:
        """How the sources are read."""
        return reading_of(self.config.source, self.config.normalize_rules())

    @property
    def decoding(self) -> Decoding:
        """How hypotheses are searched for."""
        return Decoding(**self.config.decoding.model_dump())

    def todo(self) -> list[Shard]:
        """Return the planned shards that are not committed."""
        return uncommitted(self.storage, self.planned)

    def cut(self, pool: Pool) -> Plan:
        """Scan the sources and cut them into shards for a pool of workers.

        Raises:
            SourceError: A source cannot be read, there is nothing in them, or a column does not
                go into the format of the output.
        """
        rows = self.config.run.shard_rows
        plan = make_plan(
            self.sources,
            reading=self.reading,
            columns=self.config.source.columns,
            shard_rows=partial(auto_shard_rows, workers=pool.workers) if rows == "auto" else rows,
            limit=self.limit,
        )
        replace(self, plan=plan).output.check_columns()
        return plan

    def claim(self, plan: Plan, *, overwrite: bool) -> "Run":
        """Take the output folder for this run, and store its plan.

        Args:
            plan: The shards, just cut.
            overwrite: Delete another run's output first.

        Returns:
            The run with its plan: this one, or that of a driver which was faster.

        Raises:
            OutputMismatchError: The folder holds another run's output.
            SinkError: It cannot be written, or is not ours.
        """
        plan = claim_output(self.storage, self.identity, self.config, plan, overwrite=overwrite)
        return replace(self, plan=plan)


def open_run(config: TranslateConfig, *, limit: int | None = None, overwrite: bool = False) -> Run:
    """Check everything that can be checked before work starts; nothing is written.

    Args:
        config: What was asked for.
        limit: Most rows read, None for all.
        overwrite: Another run's output is no fault, for it will be deleted.

    Returns:
        The run, with the stored plan where the output folder holds one of this run.

    Raises:
        SourceError: A source is missing or of an unknown kind, or lies where the output goes.
        ModelError: The checkpoint is missing, or does not know the languages.
        SinkError: The output folder cannot be read, or holds files that no run has made.
        OutputMismatchError: It holds another run's output.
    """
    run = examine(config, limit=limit)
    return replace(run, plan=stored_plan(run.storage, run.identity, overwrite=overwrite))


def reading_of(source: SourceSection, rules: Mapping[str, Any]) -> Reading:
    """Return how a run of any job reads its sources.

    Args:
        source: What it reads.
        rules: Keyword arguments of `NormalizeRules`.
    """
    return Reading(
        text_column=source.text_column,
        storage_options=source.storage_options,
        subtitle_rows=source.subtitle_rows,
        rules=NormalizeRules(**rules),
    )


def stored_plan(storage: Storage, identity: RunIdentity, *, overwrite: bool) -> Plan | None:
    """Return the plan that an output folder holds of a run of any job, None where it has none.

    Raises:
        SinkError: The folder cannot be read, or holds files that no run has made.
        OutputMismatchError: It holds another run's output, which is not to be deleted.
    """
    if not storage.exists(RUN):
        check_free(storage)
        return None
    if overwrite and not is_whole(storage, identity):
        return None
    check_owner(storage, identity)
    return plan_from_parquet(storage.read(PLAN)) if storage.exists(PLAN) else None


def claim_output(
    storage: Storage,
    identity: RunIdentity,
    config: Section,
    plan: Plan,
    *,
    overwrite: bool,
    job: str | None = None,
) -> Plan:
    """Take an output folder for a run of any job, and store its plan.

    Args:
        storage: The folder.
        identity: What decides the run's output.
        config: What was asked for.
        plan: The shards, just cut.
        overwrite: Delete another run's output first.
        job: Which job it is, None for a translation.

    Returns:
        The plan that is stored: this one, or that of a driver which was faster.

    Raises:
        OutputMismatchError: The folder holds another run's output.
        SinkError: It cannot be written, or is not ours.
    """
    if overwrite and not is_whole(storage, identity):
        delete_output(storage)
    if not storage.publish_new(RUN, run_record(identity, config, job=job)):
        check_owner(storage, identity)
    if not storage.publish_new(PLAN, plan_to_parquet(plan)):
        return plan_from_parquet(storage.read(PLAN))
    return plan


def delete_output(storage: Storage) -> None:
    """Delete a run's output, on purpose.

    Raises:
        SinkError: A process is at work there, or a teacher is, whose answers will be paid for.
    """
    with claimed(storage, OVERWRITE):
        check_nothing_asked(storage, recorded_run_id(storage))
        for name in OWNED:
            storage.delete(name)


def examine(config: TranslateConfig, *, limit: int | None) -> Run:
    """Find sources and model and check them, without touching the output folder."""
    sources = list_sources(
        config.source.paths,
        format=config.source.format,
        storage_options=config.source.storage_options,
    )
    checkpoint = find_checkpoint(
        config.model.name,
        revision=config.model.revision,
        storage_options=config.model.storage_options,
    )
    languages = mbart_code(config.languages.source), mbart_code(config.languages.target)
    tokenizer = check_checkpoint(checkpoint, languages, max_length=config.decoding.max_length)
    shortlist = make_shortlist(config.model.shortlist, tokenizer, languages[1])
    identity = RunIdentity.of(
        resolved(config),
        limit=limit,
        sources=[{"uri": s.uri, "size": s.size, "version": s.version} for s in sources],
        model={
            **checkpoint.identity,
            "shortlist": shortlist.signature if shortlist else "",
        },
        version=aslbatch.__version__,
    )
    storage = Storage(config.sink.path, config.sink.storage_options)
    check_apart(sources, storage)
    driver_id = uuid.uuid4().hex[:12]
    return Run(config, limit, identity, driver_id, checkpoint, shortlist, sources, storage)
