"""One line on the terminal that changes while a job runs."""

from __future__ import annotations

import os
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

_LOG_PERIOD_S = 30.0


class LiveLine:
    """Shows how far a job is.

    Where the output is no terminal, a line is printed every 30 seconds instead; none in CI.
    """

    def __init__(self, title: str, console: Console) -> None:
        self._console = console
        self._line = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[text]}"),
            console=console,
            transient=True,
        )
        self._task = self._line.add_task(title, total=None, text="starting workers")
        self._logged = time.monotonic()

    def close(self) -> None:
        """Take the line away."""
        self._line.stop()

    def start(self) -> None:
        """Show the line, on a terminal."""
        if self._console.is_terminal:
            self._line.start()

    def move(self, text: str, *, completed: int, total: int) -> None:
        """Move the line, or print one now and then."""
        if self._console.is_terminal:
            self._line.update(self._task, total=total, completed=completed, text=text)
        elif not os.environ.get("CI") and time.monotonic() - self._logged > _LOG_PERIOD_S:
            self._logged = time.monotonic()
            self._console.print(text)
