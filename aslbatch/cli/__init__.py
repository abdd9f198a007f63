"""The command line: `aslbatch <job> CONFIG` and the tools around it."""

from aslbatch.cli.app import main, run

__all__ = ["main", "run"]
