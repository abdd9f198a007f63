"""What the terminal shows of prepared data: the tables of its report, and what was checked."""

from typing import Literal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aslbatch.pipelines.prepare_card import report_tables
from aslbatch.pipelines.prepare_report import Report

_out = Console(highlight=False)


def show_preparation(report: Report) -> None:
    """Show what was read, dropped and kept, what was checked, and where the rows lie."""
    for each in report_tables(report):
        table = Table(title=each.title, title_justify="left", title_style="bold", box=box.SIMPLE)
        for name in each.columns:
            justify: Literal["left", "right"] = "left" if name in each.words else "right"
            table.add_column(escape(name), justify=justify, overflow="fold")
        for cells in each.rows:
            table.add_row(*map(escape, cells))
        _out.print(table)
        if each.note:
            _out.print(f"{escape(each.note)}\n", soft_wrap=True)
    _out.print("[bold]What was checked[/]")
    for line in report.asserted:
        _out.print(f"  {escape(line)}", soft_wrap=True)
    for line in report.warnings:
        _out.print(f"[yellow]warning[/] {escape(line)}", soft_wrap=True)
    folder = escape(report.uri.rstrip("/"))
    written = ", ".join(f"{escape(name)} ({file.rows:,})" for name, file in report.files.items())
    _out.print(f"[bold]Written[/] below {folder}: {written}", soft_wrap=True)
    _out.print(f"Read {folder}/README.md; {folder}/report.json is for programs", soft_wrap=True)
