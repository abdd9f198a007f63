"""Turn the many files of a finished run into few: `aslbatch compact`.

Shards that follow each other in the plan get one file, up to a number of rows. The commit records
stay, one a shard, and say where in the file the shard's rows are: nothing is translated again, and
`verify`, `retry` and `status` go on working. Killed at any moment, no record ever names a file that
is not there; compacting again, or the job itself, goes on from what the records say.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aslbatch.errors import IncompleteRunError
from aslbatch.pipelines.accounts import Summary, check_complete, load_plan, read_records
from aslbatch.pipelines.claim import COMPACT, claimed
from aslbatch.pipelines.finish import Limits, close_output, recorded_limits
from aslbatch.pipelines.run_record import read_run_record, recorded_output
from aslbatch.shards.commits import Commit
from aslbatch.shards.layout import ATTEMPTS, DATA, SUCCESS
from aslbatch.shards.merge import are_merged, merge_shards
from aslbatch.shards.output import OutputFormat
from aslbatch.storage.folder import Storage


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did.

    Attributes:
        files_before: Files under `data/` before it.
        files_after: Files under `data/` after it.
        summary: What the run came to; a compaction changes nothing of it.
    """

    files_before: int
    files_after: int
    summary: Summary


def compact(storage: Storage, *, rows_per_file: int) -> Compaction:
    """Put the rows of consecutive shards together in files of up to so many rows.

    Rows are counted with the rejected ones, so that no more than `rows_per_file` rows are in memory
    at a time, and one of the files read. A shard is never split. Rejected rows of the same shards
    share a file too.

    Args:
        storage: The output folder.
        rows_per_file: Most rows of a file, where it holds more than one shard.

    Raises:
        IncompleteRunError: The run is not finished, or a file is missing or was changed.
        TooManyFailedRowsError: The run was without `_SUCCESS` for that reason, and still is.
        QualityAlarmError: The same.
        SinkError: The folder holds no run, cannot be written, or another process is at work there.
    """
    record, plan = read_run_record(storage), load_plan(storage)
    check_complete(storage, plan)
    if storage.exists(ATTEMPTS):
        raise IncompleteRunError(
            f"{storage.uri}: the job is still at work there, or was killed; run it to its end, "
            f"then compact"
        )
    files_before = len(storage.names(DATA))
    with claimed(storage, COMPACT) as this:
        # A run that had _SUCCESS gets it back, which a killed process may have taken away.
        limits = Limits() if this.had_success else recorded_limits(record)
        records = read_records(storage, plan.shards, record["run_id"])
        _merge_groups(storage, records, rows_per_file, recorded_output(record, plan))
        summary = close_output(storage, plan, limits=limits, holding=True)
    return Compaction(files_before, len(storage.names(DATA)), summary)


def _merge_groups(
    storage: Storage, records: Sequence[Commit], rows_per_file: int, output: OutputFormat
) -> None:
    """Merge group after group, and delete each file as soon as no record names it any more."""
    named = Counter(file.name for record in records for file in record.files)
    for index, group in _groups(records, rows_per_file):
        if are_merged(group):
            continue
        storage.delete(SUCCESS)
        switched = merge_shards(storage, group, index=index, output=output)
        named.update(file.name for record in switched for file in record.files)
        for file in (file for record in group for file in record.files):
            named[file.name] -= 1
            if not named[file.name]:
                storage.delete(file.name)


def _groups(records: Sequence[Commit], rows_per_file: int) -> Iterator[tuple[int, list[Commit]]]:
    """Yield runs of records of so many rows at most, each with the index of its first shard."""
    group: list[Commit] = []
    rows = 0
    for index, record in enumerate(records):
        if group and rows + record.rows > rows_per_file:
            yield index - len(group), group
            group, rows = [], 0
        group.append(record)
        rows += record.rows
    yield len(records) - len(group), group
