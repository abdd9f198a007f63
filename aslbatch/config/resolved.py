"""A configuration as it is recorded: every default filled in, every secret left out."""

from typing import Any

from pydantic import BaseModel

HIDDEN = "***"


def resolved(config: BaseModel) -> dict[str, Any]:
    """Return a configuration as plain values that JSON can hold.

    The values of `storage_options` are replaced by `***`; their names stay.
    """
    return _without_secrets(config.model_dump(mode="json"))


def _without_secrets(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: dict.fromkeys(value, HIDDEN)
        if key == "storage_options"
        else _without_secrets(value)
        if isinstance(value, dict)
        else value
        for key, value in values.items()
    }
