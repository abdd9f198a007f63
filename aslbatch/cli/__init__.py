"""The command line: `aslbatch <job> CONFIG` and the tools around it."""

from aslbatch.cli.app import main

__all__ = ["main"]
