"""What the terminal shows of a training: one live line, and what came of it."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:  # so that `aslbatch --help` does not load Ray
    from aslbatch.cluster.training_progress import TrainingProgress
    from aslbatch.pipelines.merge import Merged
    from aslbatch.pipelines.train import Trained

_LOG_PERIOD_S = 30.0

_out = Console(highlight=False)


class TrainingLine:
    """Shows how far a training is.

    Where the output is no terminal, a line is printed every 30 seconds instead; none in CI.
    """

    def __init__(self) -> None:
        self._line = Progress(
            TextColumn("training"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=_out,
            transient=True,
        )
        self._task = self._line.add_task("", total=None, text="starting workers")
        self._logged = time.monotonic()

    def __enter__(self) -> TrainingLine:
        if _out.is_terminal:
            self._line.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.stop()

    def show(self, progress: TrainingProgress) -> None:
        """Move the line, or print one now and then."""
        score = "" if progress.score is None else f", best score {progress.score:.1f}"
        text = f"{progress.step:,}/{progress.steps:,} steps, loss {progress.loss:.3f}{score}"
        if _out.is_terminal:
            self._line.update(self._task, total=progress.steps, completed=progress.step, text=text)
        elif not os.environ.get("CI") and time.monotonic() - self._logged > _LOG_PERIOD_S:
            self._logged = time.monotonic()
            _out.print(text)


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
