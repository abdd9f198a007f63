"""Prepare data for training and evaluation: many data sets in, one table a split out.

    read -> leave out few-shot ids -> clean -> split -> flag noise -> drop duplicates
         -> drop what leaks from protected splits -> account for every row -> publish

Every row is kept or dropped with a reason; none disappears. All of it is held in memory, which
suits some millions of sentences; it needs no Ray.
"""

from collections.abc import Iterable, Sequence

from aslbatch.config.prepare import PrepareConfig
from aslbatch.corpora.cleaning import clean
from aslbatch.corpora.duplicates import drop_duplicates, drop_near_duplicates
from aslbatch.corpora.leakage import check_apart as check_splits_apart
from aslbatch.corpora.leakage import drop_leaked, protected_sentences
from aslbatch.corpora.noise import drop_flagged, flag_noise
from aslbatch.corpora.row import Dropped, Row, Sorted
from aslbatch.corpora.selection import assign_splits, check_splits, drop_few_shot
from aslbatch.errors import IncompleteRunError, SourceError
from aslbatch.pipelines.ownership import check_apart
from aslbatch.pipelines.prepare_output import open_output, publish
from aslbatch.pipelines.prepare_report import Report, make_report
from aslbatch.pipelines.prepare_sources import Dataset, read_datasets, read_excluded
from aslbatch.storage.folder import Storage
from aslbatch.text.normalize import NormalizeRules, normalize


def prepare(config: PrepareConfig, *, overwrite: bool = False) -> Report:
    """Run the job; run again on the same data, it writes the same bytes.

    Args:
        config: What to read, what to drop, and whereto.
        overwrite: Replace what another configuration prepared there instead of refusing it.

    Raises:
        AslbatchError: See `aslbatch.errors`; nothing is published unless every row is accounted
            for and no sentence leaks.
    """
    sink = Storage(config.sink.path, config.sink.storage_options)
    rules = NormalizeRules(**config.normalize_rules())
    protect = config.leakage.protect
    owner = open_output(sink, config, overwrite=overwrite)

    datasets = read_datasets(config.datasets)
    excluded = read_excluded(config.leakage.exclude)
    files = [file for dataset in datasets for file in dataset.files] + excluded
    check_apart([file.source for file in files], sink)

    rows: list[Row] = []
    dropped: list[Dropped] = []
    for entry, dataset in enumerate(datasets):
        found = select(entry, dataset, rules)
        rows += found.kept
        dropped += found.dropped
    unique = without_duplicates(rows, config)
    sentences = protected_sentences(
        rows,
        protect,
        ((normalize(row.source, rules), str(row)) for file in excluded for row in file.kept),
    )
    guarded = drop_leaked(unique.kept, sentences, protect, threshold=config.leakage.near)
    dropped += [*unique.dropped, *guarded.dropped]
    dropped.sort(key=lambda each: (each.row.entry, each.row.source_uri, each.row.source_row))

    check_accounts(datasets, guarded.kept, dropped)
    check_splits_apart(guarded.kept, sentences, protect)
    report = make_report(config, datasets, excluded, Sorted(guarded.kept, dropped), uri=sink.uri)
    return publish(sink, owner, report, Sorted(guarded.kept, dropped))


def select(entry: int, dataset: Dataset, rules: NormalizeRules) -> Sorted:
    """Leave out, clean, split and flag the rows of one data set.

    Raises:
        SourceError: An id to leave out is not there, other rows are left than expected, or a row
            has no split.
    """
    section = dataset.section
    chosen = drop_few_shot(
        dataset.rows, section.few_shot_ids, place=f"{dataset.place}.few_shot_ids"
    )
    _check_left(dataset, len(chosen.kept) + len(dataset.dropped))
    needs_target = section.kind != "how2sign" and (
        section.kind != "pairs" or (section.require_target and section.columns.target is not None)
    )
    cleaned = clean(chosen.kept, rules, needs_target=needs_target)
    rows = cleaned.kept
    if isinstance(section.split, dict):
        rows = assign_splits(rows, section.split)
    check_splits(rows)
    flagged = Sorted(rows, [])
    if section.kind != "how2sign" and section.flag_noise:
        flagged = drop_flagged(flag_noise(rows), section.drop_flags)
    return Sorted(
        flagged.kept, [*dataset.dropped, *chosen.dropped, *cleaned.dropped, *flagged.dropped]
    )


def without_duplicates(rows: Sequence[Row], config: PrepareConfig) -> Sorted:
    """Drop the rows of each split that repeat an earlier one, as far as that is asked for."""
    wanted = config.duplicates
    exact = Sorted(list(rows), [])
    if wanted.exact:
        exact = drop_duplicates(rows, across_datasets=wanted.across_datasets)
    if wanted.near is None:
        return exact
    near = drop_near_duplicates(exact.kept, wanted.near, across_datasets=wanted.across_datasets)
    return Sorted(near.kept, [*exact.dropped, *near.dropped])


def check_accounts(
    datasets: Iterable[Dataset], kept: Sequence[Row], dropped: Sequence[Dropped]
) -> None:
    """Check that every row that was counted in a file is kept or dropped, once.

    Raises:
        IncompleteRunError: One is not; a fault of ours.
    """
    read = {
        (entry, file.source.uri, number)
        for entry, dataset in enumerate(datasets)
        for file in dataset.files
        for number in range(file.rows)
    }
    ends = [*kept, *(each.row for each in dropped)]
    found = {(row.entry, row.source_uri, row.source_row) for row in ends}
    if len(ends) != len(read) or found != read:
        raise IncompleteRunError(
            f"{len(read):,} rows were read, but {len(kept):,} kept and {len(dropped):,} dropped; "
            "nothing was written, please report it"
        )


def _check_left(dataset: Dataset, rows: int) -> None:
    expected = dataset.section.expected_after_few_shot
    if expected is not None and rows != expected:
        raise SourceError(
            f"{dataset.place}: {rows:,} rows are left without few_shot_ids, expected_after_few_shot"
            f" says {expected:,}; check the ids, an id may have several rows"
        )
    if expected is not None:
        dataset.asserted.append(
            f"{dataset.place}: {rows:,} rows left without the few-shot examples"
        )
