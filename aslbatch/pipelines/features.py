"""The columns of a data set as its card states them, for files that do not state them themselves.

JSON lines do not say whether an empty list is one of strings, so that `datasets.load_dataset`
would take the types of the first file and fail at the second. The front matter follows
https://huggingface.co/docs/datasets/main/en/package_reference/main_classes#datasets.Features.
"""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

_NAMES = {"halffloat": "float16", "float": "float32", "double": "float64"}


def features(fields: Iterable[pa.Field]) -> list[dict[str, Any]]:
    """Return fields as the front matter of a data card lists them."""
    return [{"name": field.name, **_described(field.type)} for field in fields]


def _described(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_dictionary(kind):
        return _described(kind.value_type)
    if pa.types.is_struct(kind):
        return {"struct": features(kind)}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = _described(kind.value_type)
        return {"list": inner.get("dtype") or inner.get("struct") or inner}
    return {"dtype": _NAMES.get(str(kind), str(kind))}
