"""A labeling and its output folder: opened, compared with what lies there, and planned once."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import aslbatch
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.config.resolved import resolved
from aslbatch.labeling.prompt import Prompt
from aslbatch.pipelines.accounts import uncommitted
from aslbatch.pipelines.label_journal import Journal, open_journal
from aslbatch.pipelines.label_prompt import read_prompt
from aslbatch.pipelines.ownership import check_apart
from aslbatch.pipelines.run import claim_output, reading_of, stored_plan
from aslbatch.pipelines.run_record import LABELS, recorded_run_id
from aslbatch.provenance.hashing import source_hash
from aslbatch.provenance.identity import RunIdentity
from aslbatch.schema import RESERVED_BY_LABELS
from aslbatch.shards.output import OutputFormat
from aslbatch.shards.plan import Plan, auto_shard_rows, make_plan
from aslbatch.shards.reading import Reading
from aslbatch.shards.shard import Shard
from aslbatch.shards.source import Source
from aslbatch.shards.sources import list_sources
from aslbatch.storage.folder import Storage
from aslbatch.text.normalize import NormalizeRules

_WORKERS = 8
"""What shards are cut for, on whatever cluster: the work is done by a service."""


@dataclass(frozen=True, slots=True)
class LabelRun:
    """A labeling of some sources into an output folder.

    Attributes:
        config: What was asked for.
        limit: Most rows read, None for all.
        identity: Everything that decides which rows come out, but for the teacher's own answers.
        prompt: What the teacher is told.
        sources: The files read.
        storage: The output folder.
        plan: The shards, once they are planned.
    """

    config: PseudoglossConfig
    limit: int | None
    identity: RunIdentity
    prompt: Prompt
    sources: list[Source]
    storage: Storage
    plan: Plan | None = None

    @property
    def run_id(self) -> str:
        """The run's name, derived from its identity."""
        return self.identity.run_id

    @property
    def work_name(self) -> str:
        """Names what the run keeps on a machine: its own in each output folder."""
        uri = self.storage.uri
        return f"{self.run_id}-{source_hash(uri if '://' in uri else str(Path(uri).resolve()))[:8]}"

    @property
    def is_claimed(self) -> bool:
        """Whether the output folder holds this run, as far as is known here."""
        return recorded_run_id(self.storage) == self.run_id

    @property
    def planned(self) -> Plan:
        """The plan, which must have been made."""
        if self.plan is None:
            raise RuntimeError("the run is not planned yet")
        return self.plan

    @property
    def journal(self) -> Journal:
        """Where what is asked and answered is kept."""
        return open_journal(self.storage, self.run_id)

    @property
    def output(self) -> OutputFormat:
        """What the run's files look like."""
        sink = self.config.sink
        return OutputFormat(self.planned.schema, False, sink.compression, sink.format, labels=True)

    @property
    def rules(self) -> NormalizeRules:
        """What is cleaned."""
        return self.reading.rules

    @property
    def reading(self) -> Reading:
        """How the sources are read."""
        return reading_of(self.config.source, self.config.normalize_rules())

    def todo(self) -> list[Shard]:
        """Return the planned shards that are not committed."""
        return uncommitted(self.storage, self.planned)

    def cut(self) -> "LabelRun":
        """Scan the sources and cut them into shards, in memory.

        Raises:
            SourceError: A source cannot be read, there is nothing in them, or a column does not
                go into the format of the output.
        """
        rows = self.config.run.shard_rows
        plan = make_plan(
            self.sources,
            reading=self.reading,
            columns=self.config.source.columns,
            shard_rows=partial(auto_shard_rows, workers=_WORKERS) if rows == "auto" else rows,
            limit=self.limit,
            reserved=RESERVED_BY_LABELS,
        )
        cut = replace(self, plan=plan)
        cut.output.check_columns()
        return cut

    def claim(self, *, overwrite: bool) -> "LabelRun":
        """Take the output folder for this run, and store its plan.

        Raises:
            OutputMismatchError: The folder holds another run's output.
            SinkError: It cannot be written, or is not ours.
        """
        plan = claim_output(
            self.storage,
            self.identity,
            self.config,
            self.planned,
            overwrite=overwrite,
            job=LABELS,
        )
        return replace(self, plan=plan)


def open_label_run(
    config: PseudoglossConfig, *, limit: int | None = None, overwrite: bool = False
) -> LabelRun:
    """Check everything that can be checked before work starts; nothing is written.

    Returns:
        The run, with the stored plan where the output folder holds one of this run.

    Raises:
        SourceError: A source or an example is missing or cannot be read.
        SinkError: The output folder cannot be read, or holds files that no run has made.
        OutputMismatchError: It holds another run's output.
    """
    run = examine(config, limit=limit)
    return replace(run, plan=stored_plan(run.storage, run.identity, overwrite=overwrite))


def examine(config: PseudoglossConfig, *, limit: int | None) -> LabelRun:
    """Find sources and prompt and check them, without touching the output folder."""
    sources = list_sources(
        config.source.paths,
        format=config.source.format,
        storage_options=config.source.storage_options,
    )
    storage = Storage(config.sink.path, config.sink.storage_options)
    check_apart(sources, storage)
    rules = NormalizeRules(**config.normalize_rules())
    prompt = read_prompt(config.prompt, storage, rules)
    identity = RunIdentity.of(
        resolved(config),
        limit=limit,
        sources=[{"uri": s.uri, "size": s.size, "version": s.version} for s in sources],
        model={"name": config.teacher.model, "prompt_sha256": prompt.sha256},
        version=aslbatch.__version__,
    )
    return LabelRun(config, limit, identity, prompt, sources, storage)
