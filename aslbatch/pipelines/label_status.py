"""How far a teacher has been asked, read from the output folder alone."""

from dataclasses import dataclass

from aslbatch.pipelines.label_journal import CREATED, open_journal
from aslbatch.pipelines.label_standing import read_standing
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.storage.folder import Storage


@dataclass(frozen=True, slots=True)
class LabelStatus:
    """State of a labeling, whose shards are committed when all is answered.

    Attributes:
        texts: Texts of the corpus; None before they are known.
        glossed: Texts with a gloss, those of the gold set among them.
        failed: Texts whose last answer was of no use.
        under_way: Batch jobs that are waited for, as the service calls them.
        planned: Batch jobs, by our names, of which it is not known whether they were created.
        possible_orphans: Jobs that may be paid for and not used.
    """

    texts: int | None
    glossed: int
    failed: int
    under_way: tuple[str, ...]
    planned: tuple[str, ...]
    possible_orphans: tuple[str, ...]


def label_status(storage: Storage) -> LabelStatus:
    """Add up what is answered.

    Raises:
        SinkError: The folder cannot be read, or is damaged.
    """
    journal = open_journal(storage, read_run_record(storage)["run_id"])
    questions, jobs = journal.questions(), journal.jobs()
    standing = read_standing(journal, jobs)
    return LabelStatus(
        texts=None if questions is None else questions.num_rows,
        glossed=len(standing.accepted),
        failed=len(standing.failed),
        under_way=tuple(job.job or job.name for job in jobs if job.state == CREATED),
        planned=tuple(job.name for job in jobs if job.may_be_made),
        possible_orphans=tuple(note for job in jobs for note in job.possible_orphans),
    )
