"""The command line: its commands in the order of `aslbatch --help`, and how it ends."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

import aslbatch
from aslbatch.cli import display
from aslbatch.cli.job_commands import merge, prepare, pseudogloss, score, train, translate
from aslbatch.cli.output_commands import compact, export, retry, schema, status, verify
from aslbatch.errors import AslbatchError

_INTERRUPTED = 130
_VERBOSE = {"-v", "--verbose"}

app = typer.Typer(
    name="aslbatch",
    help="Translate English corpora into ASL gloss, and gloss into English, in bulk on Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for _command in (
    translate,
    prepare,
    pseudogloss,
    train,
    score,
    merge,
    retry,
    compact,
    verify,
    status,
    export,
    schema,
):
    app.command()(_command)


@app.callback(invoke_without_command=True)
def _version(
    show: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if show:
        print(aslbatch.__version__)  # noqa: T201
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code; see `aslbatch.errors` for the codes.

    Args:
        arguments: Words of the command line without the program, None for those of the process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        app(args=words, prog_name="aslbatch")
    except AslbatchError as error:
        sys.exit(display.show_error(error, trace=bool(_VERBOSE & set(words))))
    except Exception as error:  # the last net: a storage client's own error, or a fault of ours
        sys.exit(display.show_unexpected(error, trace=bool(_VERBOSE & set(words))))
    except SystemExit as error:
        if error.code == _INTERRUPTED:
            display.show_interrupted()
        raise


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line as a process of its own; see `main`.

    The process ends without taking the interpreter apart: threads of Arrow and Ray may still hold
    Python objects then, and abort the process after all its work was done.
    """
    code: int | str | None = 0
    try:
        main(arguments)
    except SystemExit as stop:
        code = stop.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
