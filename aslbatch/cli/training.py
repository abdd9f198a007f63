"""What the terminal shows of a training: one live line, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from aslbatch.cli.live_line import LiveLine

if TYPE_CHECKING:  # so that `aslbatch --help` does not load Ray
    from aslbatch.cluster.training_progress import TrainingProgress
    from aslbatch.pipelines.merge import Merged
    from aslbatch.pipelines.train import Trained

_out = Console(highlight=False)


def show_step(line: LiveLine, progress: TrainingProgress) -> None:
    """Show how far a training is."""
    score = "" if progress.score is None else f", best score {progress.score:.1f}"
    text = f"{progress.step:,}/{progress.steps:,} steps, loss {progress.loss:.3f}{score}"
    line.move(text, completed=progress.step, total=progress.steps)


def training_line() -> LiveLine:
    """Return a line that is shown from now on."""
    line = LiveLine("training", _out)
    line.start()
    return line


def show_trained(trained: Trained) -> None:
    """Show what a training came to and where it lies."""
    record = trained.record
    steps, measured = record["steps"], record["measured"]
    table = Table(title="trained", title_justify="left", show_header=False)
    for data in record["data"]:
        left_out = f"{data['incomplete']:,} without a side, {data['too_long']:,} too long"
        text = f"{data['pairs']:,} pairs, {data['examples']:,} examples; left out: {left_out}"
        table.add_row(", ".join(data["paths"]), text)
    early = ", stopped early" if steps["taken"] < steps["planned"] else ""
    table.add_row("steps", f"{steps['taken']:,} of {steps['planned']:,}{early}")
    if best := measured["best"]:
        parts = (f"{name} {value:.1f}" for name, value in best.items() if name != "step")
        table.add_row(f"best {measured['score']}", f"{', '.join(parts)}, at step {steps['best']:,}")
    table.add_row("time", f"{record['minutes']:.1f} min")
    table.add_row("output", trained.result)
    _out.print(table, soft_wrap=True)


def show_merged(merged: Merged) -> None:
    """Show what the gate found, and where the model lies."""
    gate = merged.gate
    table = Table(title="merged", title_justify="left", show_header=False)
    difference = f"within {gate.max_logit_difference:.1e}, the limit is {gate.logit_limit:g}"
    same = f"{gate.identical_translations:,} of {gate.probes:,} identical with 4 beams"
    kept = f"{gate.rows_compared:,} embeddings, {gate.tensors_compared:,} other tensors"
    table.add_row("logits of base plus adapter", difference)
    table.add_row("translations of probes", same)
    table.add_row("bit for bit the base's", kept)
    table.add_row("converts for CTranslate2", "yes, and translates alike")
    table.add_row("output", f"{merged.folder}, {merged.precision}")
    _out.print(table, soft_wrap=True)
