"""The commands on the output of a job, each a few lines around a function of a pipeline."""

import json
from contextlib import closing
from functools import partial
from typing import Annotated, Literal

import typer

from aslbatch.cli import display
from aslbatch.cli.options import JobConfig, OutputPath, Overrides, Verbose
from aslbatch.config.credentials import storage_options
from aslbatch.config.json_schema import json_schema
from aslbatch.config.load import load_config
from aslbatch.config.prepare import PrepareConfig
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.config.score import ScoreConfig
from aslbatch.config.section import Section
from aslbatch.config.train import TrainConfig
from aslbatch.config.translate import TranslateConfig
from aslbatch.storage.folder import Storage


def retry(
    out: OutputPath,
    config: JobConfig = None,
    overrides: Overrides = None,
    verbose: Verbose = False,
) -> None:
    """Translate or gloss the failed rows of a finished job again, and replace exactly their shards.

    Relative paths of the job's sources are looked up in the working directory, as at its start.
    """
    from aslbatch.pipelines.label_retry import retry_labels
    from aslbatch.pipelines.retry import retry as run
    from aslbatch.pipelines.run_record import is_labeling

    secrets = storage_options(config, overrides or ())
    storage = Storage(out, secrets.sink)
    if is_labeling(storage):
        from aslbatch.cli.labeling import labeling_line, show_asking, show_labeled

        with closing(labeling_line()) as line:
            labeled = retry_labels(
                storage,
                out,
                config=load_config(config, PseudoglossConfig, overrides or ()) if config else None,
                show=partial(show_asking, line),
                verbose=verbose,
            )
        show_labeled(labeled)
        return
    with closing(display.TerminalWatcher()) as watcher:
        summary = run(storage, out, secrets=secrets, watcher=watcher, verbose=verbose)
    display.show_summary(summary)


def compact(
    out: OutputPath,
    rows_per_file: Annotated[
        int,
        typer.Option(
            "--rows-per-file", min=1, metavar="N", help="Most rows of a file; N are in memory."
        ),
    ],
    config: JobConfig = None,
    overrides: Overrides = None,
) -> None:
    """Put the rows of many files of a finished job into few; safe to kill and run again."""
    from aslbatch.pipelines.compact import compact as run

    storage = Storage(out, storage_options(config, overrides or ()).sink)
    display.show_compaction(run(storage, rows_per_file=rows_per_file))


def verify(out: OutputPath, config: JobConfig = None, overrides: Overrides = None) -> None:
    """Check every file of an output against its record and the plan; 1 if anything is wrong."""
    from aslbatch.pipelines.verify import verify as check

    verdict = check(Storage(out, storage_options(config, overrides or ()).sink))
    display.show_verdict(verdict)
    if verdict.faults:
        raise typer.Exit(1)


def status(out: OutputPath, config: JobConfig = None, overrides: Overrides = None) -> None:
    """Show how far a job is, from its output alone."""
    from aslbatch.pipelines.status import status as read

    display.show_status(read(Storage(out, storage_options(config, overrides or ()).sink)))


def export(
    out: OutputPath,
    format: Annotated[  # noqa: A002 - typer names the option after it
        Literal["srt", "vtt"], typer.Option("--format", help="Format of the tracks.")
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FOLDER", help="Where tracks go; OUT/tracks otherwise."),
    ] = None,
    config: JobConfig = None,
    overrides: Overrides = None,
) -> None:
    """Write the translation of each subtitle file as a track of its own, with its times."""
    from aslbatch.pipelines.export import export as write

    storage = Storage(out, storage_options(config, overrides or ()).sink)
    display.show_export(write(storage, format=format, to=to))


def schema() -> None:
    """Print the JSON Schema of each job's configuration, for editors."""
    jobs: dict[str, type[Section]] = {
        "translate": TranslateConfig,
        "prepare": PrepareConfig,
        "pseudogloss": PseudoglossConfig,
        "train": TrainConfig,
        "score": ScoreConfig,
    }
    print(json.dumps({name: json_schema(job) for name, job in jobs.items()}, indent=2))  # noqa: T201
