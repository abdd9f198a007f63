"""What the terminal shows: a plan, one live line, a summary, some pairs."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aslbatch.cli.live_line import LiveLine
from aslbatch.cli.samples import sample_pairs
from aslbatch.errors import AslbatchError
from aslbatch.pipelines.watcher import Watcher
from aslbatch.storage.folder import Storage

if TYPE_CHECKING:  # so that `aslbatch --help` does not load Ray
    from aslbatch.cluster.progress import Progress as Counts
    from aslbatch.cluster.session import Pool
    from aslbatch.pipelines.accounts import Summary
    from aslbatch.pipelines.compact import Compaction
    from aslbatch.pipelines.estimate import Estimate
    from aslbatch.pipelines.export import Export
    from aslbatch.pipelines.label_status import LabelStatus
    from aslbatch.pipelines.score_card import DirectionScores
    from aslbatch.pipelines.status import Status
    from aslbatch.pipelines.verify import Verdict
    from aslbatch.shards.plan import Plan
    from aslbatch.shards.shard import Shard

_PAIRS = 12

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


class TerminalWatcher(Watcher):
    """Shows the plan as a table and the progress as one line that changes."""

    def __init__(self) -> None:
        self._line = LiveLine("translating", _out)
        self._total = 0

    def close(self) -> None:
        """Take the line away."""
        self._line.close()

    def planned(self, plan: Plan, todo: Sequence[Shard], pool: Pool) -> None:
        """Show the plan."""
        self._total = sum(shard.rows for shard in todo)
        device = f"{pool.gpus:g} GPU" if pool.gpus else f"{pool.cpus} CPU"
        rows = {
            "rows": f"{plan.rows:,} in {len(plan.shards):,} shards",
            "workers": f"{pool.workers} with {device} each",
            "engine": _engine(pool),
        }
        if len(todo) < len(plan.shards):
            rows["to do"] = f"{self._total:,} rows in {len(todo):,} shards; the rest is committed"
        _out.print(pairs("plan", rows), soft_wrap=True)
        if todo:
            self._line.start()

    def progressed(self, progress: Counts) -> None:
        """Move the line, or print one now and then."""
        text = _progress_text(progress, self._total)
        self._line.move(text, completed=progress.rows, total=self._total)


def show_summary(summary: Summary) -> None:
    """Show what a run came to and where it lies."""
    rejected = ", ".join(f"{count:,} {reason}" for reason, count in summary.rejected.items())
    rows = {
        "translated": f"{summary.translated:,} of {summary.rows:,} rows",
        "rejected": f"{sum(summary.rejected.values()):,}" + (f" ({rejected})" if rejected else ""),
        "tokens": f"{summary.source_tokens:,} read, {summary.target_tokens:,} written",
        **_audit_row(summary),
        "output": summary.uri,
    }
    _out.print(pairs("done", rows), soft_wrap=True)


def show_scores(found: Sequence[DirectionScores], uri: str) -> None:
    """Show the scores of each direction beside those of a copy of the input, and of others."""
    from aslbatch.pipelines.score_card import P_NOTE, TITLES

    for each in found:
        show_table(f"{TITLES[each.direction]}, {each.rows:,} rows", each.table())
        if each.published_by:
            _out.print(f"published: as reported by the {escape(each.published_by)}")
        if each.rejected:
            _out.print(f"{each.rejected:,} rows could not be translated, and count as empty")
        if each.other is not None:
            show_table(f"{TITLES[each.direction]} against {each.other.uri}", each.comparison())
            for line in each.what_differs():
                _out.print(escape(line), soft_wrap=True)
    if any(each.other for each in found):
        _out.print(P_NOTE, soft_wrap=True)
    folder = escape(uri.rstrip("/"))
    _out.print(f"signatures: {folder}/scores.json, for a card: {folder}/scores.md", soft_wrap=True)


def show_table(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Show rows of text below their names, the first column to the left, others to the right."""
    table = Table(title=escape(title), title_justify="left")
    for position, name in enumerate(rows[0]):
        table.add_column(name, justify="right" if position else "left")
    for cells in rows[1:]:
        table.add_row(*map(escape, cells))
    _out.print(table)


def _audit_row(summary: Summary) -> dict[str, str]:
    if not summary.audited:
        return {}
    text = f"{summary.agreed:,} of {summary.audited:,} sampled texts come out the same without it"
    return {"shortlist": text}


def show_samples(storage: Storage) -> None:
    """Show some pairs of an output."""
    table = Table(title="machine-made gloss, not reviewed by signers", title_justify="left")
    table.add_column("source")
    table.add_column("translation")
    for source, translation in sample_pairs(storage, _PAIRS):
        table.add_row(escape(source), escape(translation))
    _out.print(table)


def show_estimate(estimate: Estimate) -> None:
    """Show what a run would come to."""
    pool = estimate.pool
    rows = {
        "shards": f"{len(estimate.plan.shards):,}",
        "rows": f"{estimate.plan.rows:,}",
        "characters": f"about {estimate.characters:,}",
        "tokens": f"about {estimate.tokens:,}",
        "workers": f"{pool.workers} with {pool.cpus} CPU and {pool.gpus:g} GPU each",
        "engine": f"{_engine(pool)}, batches of {estimate.speed.max_tokens:,} tokens",
        "speed": f"about {_rate(estimate.speed.row_s)} rows/s on a worker, once it has started",
        "time": f"about {_duration(estimate.hours * 3_600)}, from what tokens took just now",
        "CPU hours": f"about {estimate.cpu_hours:,.2f}",
        "GPU hours": f"about {estimate.gpu_hours:,.2f}",
    }
    if estimate.price is not None:
        rows["price"] = f"about {estimate.price:,.2f}"
    _out.print(pairs("dry run, nothing is written", rows), soft_wrap=True)


def show_status(status: Status) -> None:
    """Show how far a run is."""
    done = status.done
    rows = {
        "run": f"{done.run_id}, started {status.started}",
        "state": "finished" if status.finished else "not finished",
        **({"claim": status.claim} if status.claim else {}),
        "shards": f"{done.shards:,} of {status.planned_shards:,}",
        "rows": f"{done.rows:,} of {status.planned_rows:,}",
        **{f"rejected, {reason}": f"{count:,}" for reason, count in done.rejected.items()},
        **_asked_rows(status.asked),
    }
    _out.print(pairs(done.uri, rows), soft_wrap=True)


def _asked_rows(asked: LabelStatus | None) -> dict[str, str]:
    if asked is None:
        return {}
    texts = "not known yet" if asked.texts is None else f"{asked.texts:,}"
    rows = {"texts": f"{texts}, {asked.glossed:,} glossed, {asked.failed:,} failed"}
    if asked.under_way:
        rows["jobs under way"] = ", ".join(asked.under_way)
    if asked.planned:
        rows["jobs perhaps under way"] = ", ".join(asked.planned)
    if asked.possible_orphans:
        rows["perhaps paid in vain"] = "; ".join(asked.possible_orphans)
    return rows


def show_compaction(done: Compaction) -> None:
    """Show what a compaction came to."""
    rows = {
        "files": f"{done.files_after:,}, before it {done.files_before:,}",
        "rows": f"{done.summary.translated:,} translated of {done.summary.rows:,}",
        "output": done.summary.uri,
    }
    _out.print(pairs("compacted", rows), soft_wrap=True)


def show_verdict(verdict: Verdict) -> None:
    """Show what `verify` found."""
    for fault in verdict.faults:
        _out.print(f"[red]wrong[/] {escape(fault)}", soft_wrap=True)
    state = f"[red]{len(verdict.faults)} faults[/]" if verdict.faults else "[green]all well[/]"
    _out.print(f"{state}: {verdict.rows:,} rows in {verdict.shards:,} shards checked")


def show_export(done: Export) -> None:
    """Say what an export wrote and what it left out."""
    left_out = {
        "rows without times": done.untimed_rows,
        "rejected rows": done.rejected_rows,
        "sources without a cue": done.sources_without_track,
    }
    notes = [f"{count:,} {what}" for what, count in left_out.items() if count]
    text = f"{done.tracks:,} tracks with {done.cues:,} cues in {done.uri}"
    text += f"; left out: {', '.join(notes)}" if notes else ""
    text += f"; {done.negative_times:,} times before 0 set to 0" if done.negative_times else ""
    _out.print(escape(text), soft_wrap=True)


def show_error(error: AslbatchError, *, trace: bool = False) -> int:
    """Show an error, with a traceback where that is asked for, and return its exit code."""
    if trace:
        traceback.print_exception(error)
    _err.print(f"[red]error[/] {escape(error.message)}", soft_wrap=True)
    return error.exit_code


def show_unexpected(error: Exception, *, trace: bool = False) -> int:
    """Show an error that is none of ours on one line, and return its exit code."""
    if trace:
        traceback.print_exception(error)
    text = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
    _err.print(f"[red]error[/] {escape(text)} (-v shows where)", soft_wrap=True)
    return AslbatchError.exit_code


def show_interrupted() -> None:
    """Say that nothing is lost."""
    _err.print("interrupted; what is committed stays, run the same command again to go on")


def pairs(title: str, rows: dict[str, str]) -> str:
    """Return a title and aligned lines; a value is never folded, so that it can be copied."""
    width = max(map(len, rows))
    lines = [f"  {name:<{width}}  {escape(value)}" for name, value in rows.items()]
    return "\n".join([f"[bold]{escape(title)}[/]", *lines])


def _progress_text(progress: Counts, total: int) -> str:
    speed = progress.rows / progress.elapsed_s if progress.elapsed_s else 0.0
    left = _duration((total - progress.rows) / speed) if speed else "unknown"
    return (
        f"{progress.rows:,}/{total:,} rows, {speed:,.0f} rows/s, {progress.rejected:,} rejected, "
        f"{left} left"
    )


def _engine(pool: Pool) -> str:
    kept = f", {pool.shortlist}" if pool.shortlist else ""
    return f"{pool.choice.engine}, {pool.choice.precision}{kept}"


def _rate(row_s: float) -> str:
    return f"{1 / row_s:,.1f}" if row_s else "unknown"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
