"""Put a teacher's glosses beside the texts of a shard; its answers were all collected before."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from aslbatch.errors import IncompleteRunError
from aslbatch.provenance.hashing import source_hash
from aslbatch.rejects import rejections, set_column, with_rejections
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
    failures, details = answers["failure"].to_pylist(), answers["detail"].to_pylist()
    rejected = rejections(table)
    for row, text in enumerate(texts):
        if rejected[row] is not None or glosses[row] is not None:
            continue
        if failures[row] is None:
            raise IncompleteRunError(f"{text!r} has no answer; nothing was written, please report")
        rejected[row] = (RejectReason(failures[row]), details[row])
    flags = [
        [] if gloss is None or text is None else find_flags(text, gloss)
        for text, gloss in zip(texts, glosses, strict=True)
    ]
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
