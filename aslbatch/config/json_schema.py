"""JSON Schema of configurations, with which editors check and complete them."""

from typing import Any

from pydantic import BaseModel


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of the YAML files that hold such a configuration."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
