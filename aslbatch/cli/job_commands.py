"""The commands that run a job, each a few lines around a function of `aslbatch.pipelines`."""

from contextlib import closing
from functools import partial
from typing import Annotated, Literal

import typer

from aslbatch.cli import display
from aslbatch.cli.options import ConfigPath, Limit, Overrides, Verbose
from aslbatch.cli.training import show_merged, show_step, show_trained, training_line
from aslbatch.config.load import load_config
from aslbatch.config.prepare import PrepareConfig
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.config.score import ScoreConfig
from aslbatch.config.train import TrainConfig
from aslbatch.config.translate import TranslateConfig
from aslbatch.storage.folder import Storage


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


def pseudogloss(
    config: ConfigPath,
    overrides: Overrides = None,
    limit: Limit = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show requests, tokens and price; ask nothing.")
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
