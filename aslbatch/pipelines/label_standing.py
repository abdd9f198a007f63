"""How each text of a labeling stands: glossed, failed so many times, or not asked for yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from aslbatch.labeling.protocol import Usage
from aslbatch.pipelines.label_answers import ANSWER_COLUMNS
from aslbatch.pipelines.label_journal import Job, Journal

LABEL_COLUMNS = pa.schema([*ANSWER_COLUMNS, ("attempts", pa.int32())])
"""The answer that counts for a text, and how often it was asked for."""


@dataclass(slots=True)
class Standing:
    """What is known of the texts of a run, from its stored answers.

    Attributes:
        accepted: The answer with a gloss, by `source_hash`; the first of several.
        failed: The last answer without one, of texts that have none with one.
        attempts: Answers of each text, with and without gloss.
        usage: Tokens that were counted, all paid for.
        uncounted: The most tokens of what may be paid for beside that: answers without a count,
            requests sent twice, and possible orphans.
    """

    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    uncounted: Usage = field(default_factory=Usage)

    def add(self, answers: pa.Table) -> None:
        """Take stored answers into account."""
        for row in answers.to_pylist():
            name = row["source_hash"]
            self.attempts[name] = self.attempts.get(name, 0) + 1
            self.usage += Usage(row["input_tokens"], row["output_tokens"])
            self.uncounted += Usage(row["most_input_tokens"], row["most_output_tokens"])
            if name in self.accepted:
                continue
            if row["gloss"] is None:
                self.failed[name] = row
            else:
                self.accepted[name] = row
                self.failed.pop(name, None)

    def table(self, names: Iterable[str]) -> pa.Table:
        """Return the answer that counts for each of some texts: columns as `LABEL_COLUMNS`."""
        found = ((name, self.accepted.get(name) or self.failed.get(name)) for name in names)
        counted = [{**row, "attempts": self.attempts[name]} for name, row in found if row]
        return pa.Table.from_pylist(counted, LABEL_COLUMNS)


def read_standing(journal: Journal, jobs: Sequence[Job]) -> Standing:
    """Return what all stored answers come to.

    Raises:
        SinkError: Some are damaged.
    """
    standing = Standing()
    for stem in journal.answers.stems():
        standing.add(journal.answers.read(stem))
    for job in jobs:
        standing.usage += job.stray_usage
        standing.uncounted += job.of_orphans
    return standing
