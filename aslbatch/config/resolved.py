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


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 - any value of a configuration
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: dict.fromkeys(each, HIDDEN) if key == "storage_options" else _without_secrets(each)
        for key, each in value.items()
    }
