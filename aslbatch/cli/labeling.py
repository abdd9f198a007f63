"""What the terminal shows of a labeling: one live line, what it would cost, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from aslbatch.cli.display import pairs, show_table
from aslbatch.cli.live_line import LiveLine

if TYPE_CHECKING:  # so that `aslbatch --help` does not load Ray
    from aslbatch.pipelines.label_estimate import LabelEstimate
    from aslbatch.pipelines.label_report import Labeled
    from aslbatch.pipelines.label_texts import LabelProgress

_out = Console(highlight=False)


def labeling_line() -> LiveLine:
    """Return a line that is shown from now on."""
    line = LiveLine("labeling", _out)
    line.start()
    return line


def show_asking(line: LiveLine, progress: LabelProgress) -> None:
    """Show how far the asking is."""
    parts = [f"{progress.glossed:,}/{progress.texts:,} texts", f"{progress.failed:,} failed"]
    parts += [f"{progress.jobs} jobs under way"] if progress.jobs else []
    parts += [] if progress.spent is None else [f"{progress.spent:,.4f} spent"]
    text = ", ".join([*parts, progress.state])
    line.move(text, completed=progress.glossed, total=progress.texts)


def show_label_estimate(estimate: LabelEstimate) -> None:
    """Show what asking would come to."""
    how = "counted on a sample by the service" if estimate.counted else "estimated by bytes"
    rows = {
        "rows": f"{estimate.rows:,}",
        "requests": f"{estimate.requests:,}, each text once",
        "input tokens": f"about {estimate.input_tokens:,}, {how}",
        "output tokens": f"about {estimate.output_tokens:,}, "
        f"{estimate.most_output_tokens:,} at most",
        "price": "unknown: the model is not in cost.prices"
        if estimate.cost is None or estimate.worst_cost is None
        else f"about {estimate.cost:,.4f} {estimate.currency}, {estimate.worst_cost:,.4f} at most, "
        f"if each is asked for once",
        "time": estimate.window,
    }
    _out.print(
        pairs("dry run: nothing that costs is sent, nothing is written", rows), soft_wrap=True
    )


def show_labeled(labeled: Labeled) -> None:
    """Show what a labeling came to and where it lies."""
    from aslbatch.pipelines.teacher_note import cost_in_words

    summary, note = labeled.summary, labeled.note
    rejected = ", ".join(f"{count:,} {reason}" for reason, count in summary.rejected.items())
    cost = note["cost"]
    usage = f"{note['usage']['input_tokens']:,} in, {note['usage']['output_tokens']:,} out"
    rows = {
        "glossed": f"{summary.translated:,} of {summary.rows:,} rows",
        "rejected": f"{sum(summary.rejected.values()):,}" + (f" ({rejected})" if rejected else ""),
        "texts": f"{note['glossed']:,} of {note['texts']:,} glossed, {note['answers']:,} answers",
        "tokens": usage,
        **({"cost": cost_in_words(cost)} if cost else {}),
        "output": summary.uri,
    }
    _out.print(pairs("done", rows), soft_wrap=True)
    for title, key in (
        ("against authentic gloss", "gold"),
        ("against another teacher", "agreement"),
    ):
        if note[key]:
            show_table(title, note[key]["table"])
    for job in note["jobs"]:
        for orphan in job["possible_orphans"]:
            _out.print(f"[yellow]may be paid for and not used[/] {escape(orphan)}", soft_wrap=True)
