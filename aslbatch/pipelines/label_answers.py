"""Files with what came of requests, written once; of those of chats, many are put into one."""

import re
from collections.abc import Iterable, Mapping

import pyarrow as pa

from aslbatch.errors import SinkError
from aslbatch.labeling.answers import Outcome
from aslbatch.labeling.protocol import Usage
from aslbatch.shards.parquet_bytes import table_from_parquet, table_to_parquet
from aslbatch.storage.folder import Storage

ANSWER_COLUMNS = pa.schema(
    [
        ("source_hash", pa.string()),
        ("gloss", pa.string()),
        ("failure", pa.string()),
        ("detail", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("most_input_tokens", pa.int64()),
        ("most_output_tokens", pa.int64()),
        ("model", pa.string()),
        ("job", pa.string()),
        ("answered_on", pa.string()),
    ]
)
"""`most_...` is what may have been paid for beside what was counted, 0 where all was."""

_FOLDER = "answers"
_CHAT = re.compile(r"chat-(\d+)(?:-(\d+))?")
_MANY_CHATS = 256


class AnswerFiles:
    """The answers in a journal.

    Files are called by the number of a batch job, as `000001`, or of a second of chats, as
    `chat-000001`; several of these in one file are `chat-000001-000256`.
    """

    def __init__(self, journal: Storage) -> None:
        self._storage = journal

    def keep(
        self,
        stem: str,
        outcomes: Iterable[Outcome],
        uncounted: Mapping[str, Usage],
        *,
        job: str,
        day: str,
    ) -> pa.Table:
        """Store what came of requests, once.

        Args:
            stem: Name of the file, which no other answers have.
            outcomes: One a request.
            uncounted: The most tokens of what was not counted, by `source_hash`.
            job: The service's name for the job; empty for chats.
            day: When, UTC, in ISO 8601.

        Returns:
            The answers.

        Raises:
            SinkError: Others are stored under this name: another process is at work.
        """
        rows = [_row(each, uncounted.get(each.source_hash, Usage())) for each in outcomes]
        table = pa.Table.from_pylist(
            [{**row, "job": job, "answered_on": day} for row in rows], ANSWER_COLUMNS
        )
        data, name = table_to_parquet(table, compression="zstd"), _name(stem)
        if not self._storage.publish_new(name, data) and self._storage.read(name) != data:
            raise SinkError(
                f"{self._storage.uri}/{name} was written by another process meanwhile; see that it "
                f"has ended, then run the same command again"
            )
        return table

    def has(self, stem: str) -> bool:
        """Return whether answers of this name are stored."""
        return self._storage.exists(_name(stem))

    def read(self, stem: str) -> pa.Table:
        """Return stored answers.

        Raises:
            SinkError: They are damaged.
        """
        return read_table(self._storage, _name(stem), ANSWER_COLUMNS)

    def stems(self) -> list[str]:
        """Return the names of all files that count, sorted: not of those that another one holds."""
        stems = [name.removesuffix(".parquet") for name in self._storage.names(_FOLDER)]
        spans = [span for stem in stems if (span := _chats(stem)) and span[0] < span[1]]
        return [stem for stem in stems if not _is_in(_chats(stem), spans)]

    def chats(self) -> int:
        """Return the number of the last file with answers of chats, 0 without any."""
        return max([0, *(span[1] for stem in self.stems() if (span := _chats(stem)))])

    def merge_chats(self, many: int = _MANY_CHATS) -> None:
        """Put the answers of chats into one file, if they are in many: a start reads all.

        The one file counts from the moment that it is there; the many are deleted after that.
        """
        stems = self.stems()
        singles = [s for s in stems if (span := _chats(s)) and span[0] == span[1]]
        if len(singles) >= max(many, 2):
            table = pa.concat_tables(self.read(stem) for stem in singles)
            merged = f"{singles[0]}-{singles[-1].removeprefix('chat-')}"
            self._storage.publish(_name(merged), table_to_parquet(table, compression="zstd"))
            stems = self.stems()
        for name in self._storage.names(_FOLDER):
            if name.removesuffix(".parquet") not in stems:
                self._storage.delete(f"{_FOLDER}/{name}")


def read_table(journal: Storage, name: str, columns: pa.Schema) -> pa.Table:
    """Return a table of a journal.

    Raises:
        SinkError: It is damaged.
    """
    try:
        return table_from_parquet(journal.read(name), columns)
    except (pa.ArrowException, ValueError) as error:
        raise SinkError(
            f"{journal.uri}/{name} is damaged ({error}); restore it: it holds what was paid for"
        ) from error


def _row(outcome: Outcome, uncounted: Usage) -> dict[str, object]:
    return {
        "source_hash": outcome.source_hash,
        "gloss": outcome.gloss,
        "failure": None if outcome.failure is None else outcome.failure.value,
        "detail": outcome.detail,
        "input_tokens": outcome.usage.input_tokens,
        "output_tokens": outcome.usage.output_tokens,
        "most_input_tokens": uncounted.input_tokens,
        "most_output_tokens": uncounted.output_tokens,
        "model": outcome.model,
    }


def _name(stem: str) -> str:
    return f"{_FOLDER}/{stem}.parquet"


def _chats(stem: str) -> tuple[int, int] | None:
    """Return the numbers of the first and the last of the chats in a file, None of a job's."""
    found = _CHAT.fullmatch(stem)
    return (int(found[1]), int(found[2] or found[1])) if found else None


def _is_in(chats: tuple[int, int] | None, spans: Iterable[tuple[int, int]]) -> bool:
    """Return whether another file holds the answers of one, too."""
    return chats is not None and any(
        span != chats and span[0] <= chats[0] and chats[1] <= span[1] for span in spans
    )
