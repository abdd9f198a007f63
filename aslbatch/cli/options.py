"""Arguments and options that several commands have."""

from typing import Annotated

import typer

ConfigPath = Annotated[str, typer.Argument(metavar="CONFIG", help="The job's YAML file.")]
OutputPath = Annotated[str, typer.Argument(metavar="OUT", help="The output folder of a job.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="a.b=value", help="Lay a value over the configuration."),
]
JobConfig = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="CONFIG", help="The job's YAML file, for its storage_options."
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Read the first N rows only.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show what Ray prints too.")]
