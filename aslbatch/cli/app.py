"""The commands, each a few lines around a function of `aslbatch.pipelines`."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Annotated, Literal, NoReturn

import typer

import aslbatch
from aslbatch.cli import display
from aslbatch.cli.training import show_merged, show_step, show_trained, training_line
from aslbatch.config.credentials import storage_options
from aslbatch.config.json_schema import json_schema
from aslbatch.config.load import load_config
from aslbatch.config.prepare import PrepareConfig
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.config.score import ScoreConfig
from aslbatch.config.section import Section
from aslbatch.config.train import TrainConfig
from aslbatch.config.translate import TranslateConfig
from aslbatch.errors import AslbatchError
from aslbatch.storage.folder import Storage

_INTERRUPTED = 130
_VERBOSE = {"-v", "--verbose"}

app = typer.Typer(
    name="aslbatch",
    help="Translate English corpora into ASL gloss, and gloss into English, in bulk on Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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


@app.command()
def translate(
    config: ConfigPath,
    overrides: Overrides = None,
    limit: Limit = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show plan, time and GPU hours; write nothing.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Delete another run's output first.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Translate a corpus; run again, it goes on where it stopped."""
    from aslbatch.pipelines.estimate import estimate
    from aslbatch.pipelines.translate import translate as run

    settings = load_config(config, TranslateConfig, overrides or ())
    if dry_run:
        display.show_estimate(estimate(settings, limit=limit, verbose=verbose))
        return
    with closing(display.TerminalWatcher()) as watcher:
        summary = run(settings, limit=limit, overwrite=overwrite, watcher=watcher, verbose=verbose)
    display.show_summary(summary)
    display.show_samples(Storage(settings.sink.path, settings.sink.storage_options))


@app.command()
def prepare(
    config: ConfigPath,
    overrides: Overrides = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another preparation's output.")
    ] = False,
) -> None:
    """Bring data sets of English and gloss into one form, without duplicates and leaks."""
    from aslbatch.cli.preparation import show_preparation
    from aslbatch.pipelines.prepare import prepare as run

    settings = load_config(config, PrepareConfig, overrides or ())
    show_preparation(run(settings, overwrite=overwrite))


@app.command()
def pseudogloss(
    config: ConfigPath,
    overrides: Overrides = None,
    limit: Limit = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show requests, tokens and price; send nothing.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Delete another run's output first, paid answers too."),
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Have a teacher LLM gloss a corpus; run again, it goes on and pays for nothing twice."""
    from aslbatch.cli.labeling import (
        labeling_line,
        show_asking,
        show_label_estimate,
        show_labeled,
    )
    from aslbatch.pipelines.label_dry_run import dry_run as estimate
    from aslbatch.pipelines.pseudogloss import pseudogloss as run

    settings = load_config(config, PseudoglossConfig, overrides or ())
    if dry_run:
        show_label_estimate(estimate(settings, limit=limit, verbose=verbose))
        return
    with closing(labeling_line()) as line:
        labeled = run(
            settings,
            limit=limit,
            overwrite=overwrite,
            show=partial(show_asking, line),
            verbose=verbose,
        )
    show_labeled(labeled)
    display.show_samples(Storage(settings.sink.path, settings.sink.storage_options))


@app.command()
def train(
    config: ConfigPath,
    overrides: Overrides = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Delete another run's output first.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Train a model on pairs of English and gloss; run again, it goes on where it stopped."""
    from aslbatch.pipelines.train import train as run

    settings = load_config(config, TrainConfig, overrides or ())
    with closing(training_line()) as line:
        trained = run(settings, overwrite=overwrite, show=partial(show_step, line), verbose=verbose)
    show_trained(trained)


@app.command()
def score(
    config: ConfigPath,
    overrides: Overrides = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Delete other runs' translations first.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Translate an evaluation set both ways and score it; run again, it goes on."""
    from aslbatch.pipelines.score import score as run

    settings = load_config(config, ScoreConfig, overrides or ())
    with closing(display.TerminalWatcher()) as watcher:
        found = run(settings, overwrite=overwrite, watcher=watcher, verbose=verbose)
    display.show_scores(found, settings.sink.path)


@app.command()
def merge(
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="The adapter's folder.")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="The folder of the merged model.")],
    base: Annotated[
        str | None, typer.Option("--base", help="The base; else the one that the adapter names.")
    ] = None,
    scores: Annotated[
        str | None, typer.Option("--scores", metavar="FOLDER", help="A score job's, for the card.")
    ] = None,
    precision: Annotated[
        Literal["float32", "bfloat16", "float16"],
        typer.Option("--precision", help="Number format of the weights."),
    ] = "float32",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUT.")] = False,
) -> None:
    """Merge an adapter into its base, and check that the model is the two together."""
    from aslbatch.pipelines.merge import merge_adapter

    show_merged(
        merge_adapter(
            adapter, out, base=base, scores=scores, precision=precision, overwrite=overwrite
        )
    )


@app.command()
def retry(
    out: OutputPath,
    config: JobConfig = None,
    overrides: Overrides = None,
    verbose: Verbose = False,
) -> None:
    """Translate the failed rows of a finished job again, and replace exactly their shards.

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


@app.command()
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


@app.command()
def verify(out: OutputPath, config: JobConfig = None, overrides: Overrides = None) -> None:
    """Check every file of an output against its record and the plan; 1 if anything is wrong."""
    from aslbatch.pipelines.verify import verify as check

    verdict = check(Storage(out, storage_options(config, overrides or ()).sink))
    display.show_verdict(verdict)
    if verdict.faults:
        raise typer.Exit(1)


@app.command()
def status(out: OutputPath, config: JobConfig = None, overrides: Overrides = None) -> None:
    """Show how far a job is, from its output alone."""
    from aslbatch.pipelines.status import status as read

    display.show_status(read(Storage(out, storage_options(config, overrides or ()).sink)))


@app.command()
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


@app.command()
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
