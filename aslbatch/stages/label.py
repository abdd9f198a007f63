"""Put a teacher's glosses beside the texts of a shard; its answers were all collected before."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from aslbatch.errors import IncompleteRunError
from aslbatch.provenance.hashing import source_hash
from aslbatch.rejects import Rejection, rejections, set_column, with_rejections
from aslbatch.schema import TEXT, RejectReason
from aslbatch.stages.validate import find_flags

_ANSWER_COLUMNS = (
    "job",
    "answered_on",
    "attempts",
    "input_tokens",
    "output_tokens",
    "examples",
)


def label_rows(table: pa.Table, labels: pa.Table, stamps: Mapping[str, str]) -> pa.Table:
    """Give every row that is not rejected the answer to its text, or reject it for want of one.

    Args:
        table: A normalized shard.
        labels: The answer that counts for each text: `source_hash`, `gloss` (null where no answer
            was usable), `failure`, `detail`, `model`, `job`, `answered_on`, `attempts`,
            `input_tokens`, `output_tokens` and `examples`.
        stamps: Values of the columns that are the same in every row.

    Returns:
        The same rows in the same order, with the columns of `aslbatch.schema.label_fields`.

    Raises:
        IncompleteRunError: A text was never asked for; a fault of ours.
    """
    texts = table[TEXT].to_pylist()
    hashes = pa.array([None if text is None else source_hash(text) for text in texts], pa.string())
    found = pc.index_in(hashes, value_set=labels["source_hash"].combine_chunks())
    answers = labels.take(found)
    glosses = answers["gloss"].to_pylist()
    flags = [
        [] if gloss is None or text is None else find_flags(text, gloss)
        for text, gloss in zip(texts, glosses, strict=True)
    ]
    rejected = _rejected(table, texts, answers)
    columns = {
        "source_text": table[TEXT],
        "translation": answers["gloss"],
        "flags": pa.array(flags, pa.list_(pa.string())),
        "source_hash": hashes,
        "model_answered": answers["model"],
        **{name: answers[name] for name in _ANSWER_COLUMNS},
        **{name: pa.array([value] * len(texts), pa.string()) for name, value in stamps.items()},
    }
    for name, values in columns.items():
        table = set_column(table, name, values)
    return with_rejections(table, rejected)


def _rejected(
    table: pa.Table, texts: Sequence[str | None], answers: pa.Table
) -> list[Rejection | None]:
    """Return why rows have no gloss: what they were rejected for before, or their answer's fault.

    Raises:
        IncompleteRunError: One has no answer.
    """
    rejected = rejections(table)
    columns = (answers[name].to_pylist() for name in ("gloss", "failure", "detail"))
    for row, (gloss, failure, detail) in enumerate(zip(*columns, strict=True)):
        if rejected[row] is None and gloss is None:
            if failure is None:
                text = texts[row]
                raise IncompleteRunError(
                    f"{text!r} has no answer; nothing was written, please report"
                )
            rejected[row] = (RejectReason(failure), detail)
    return rejected
