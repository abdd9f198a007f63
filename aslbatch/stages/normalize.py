"""Clean the texts of a shard; reject those that leave nothing to translate."""

import pyarrow as pa

from aslbatch.rejects import rejections, set_column, with_rejections
from aslbatch.schema import TEXT
from aslbatch.text.normalize import NormalizeRules, examine, normalize


def normalize_rows(table: pa.Table, rules: NormalizeRules) -> pa.Table:
    """Normalize the text of every row that is not rejected yet.

    Args:
        table: A shard as `aslbatch.shards.read.read_shard` returns it.
        rules: What is cleaned, and what is too long.

    Returns:
        The same rows in the same order; `_text` holds the normalized text.
    """
    found = rejections(table)
    texts = table[TEXT].to_pylist()
    for row, text in enumerate(texts):
        if found[row] is None:
            texts[row] = normalize(text, rules)
            found[row] = examine(text, texts[row], rules)
    cleaned = [text if reject is None else None for text, reject in zip(texts, found, strict=True)]
    return with_rejections(set_column(table, TEXT, pa.array(cleaned, pa.string())), found)
