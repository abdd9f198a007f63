"""A configuration as it is recorded: every default filled in, every secret left out."""

from typing import Any

from pydantic import BaseModel

HIDDEN = "***"


def resolved(config: BaseModel) -> dict[str, Any]:
    """Return a configuration as plain values that JSON can hold.

    The values of `storage_options` are replaced by `***`; their names stay.
    """
    values: dict[str, Any] = _without_secrets(config.model_dump(mode="json"))
    return values


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: dict.fromkeys(inner, HIDDEN) if key == "storage_options" else _without_secrets(inner)
        for key, inner in value.items()
    }
