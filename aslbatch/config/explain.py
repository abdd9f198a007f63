"""Saying in plain words what pydantic found wrong with a configuration."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from aslbatch.config.fault import Fault, KeyPath

_MAX_SHOWN_CHARACTERS = 60
_TEXT = "non-empty text"

JsonSchema = Mapping[str, Any]


def explain(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Return one fault for each value that is wrong, in the order of the model's keys.

    What was expected is worded from the model's JSON Schema. A key that may hold several types
    makes pydantic report one error for each of them; here it counts once.
    """
    schema = Schema(model)
    faults: dict[KeyPath, Fault] = {}
    for details in error.errors(include_url=False):
        kind, location = details["type"], details["loc"]
        path = schema.resolve(location)
        if kind == "value_error":
            fault = Fault(path, str(details["ctx"]["error"]))
        elif kind == "extra_forbidden":
            fault = Fault((*path, location[-1]), _unknown_key(location, schema))
        elif kind == "missing":
            fault = Fault(path, "required key is missing")
        elif kind in ("union_tag_not_found", "union_tag_invalid"):
            fault = _wrong_tag(path, details["ctx"], schema)
        else:
            fault = _wrong_value(location, details["input"], schema)
        faults.setdefault(fault.path, fault)
    around = {path[:length] for path in faults for length in range(len(path))}
    return [fault for path, fault in faults.items() if path not in around]


def _wrong_tag(path: KeyPath, context: Mapping[str, Any], schema: "Schema") -> Fault:
    """Return the fault of a section whose kind is not said, or is none of the known ones."""
    path = (*path, context["discriminator"].strip("'"))
    found = f"got {_quoted(context['tag'])}" if "tag" in context else "but the key is missing"
    return Fault(path, f"expected {schema.expectation(path)}, {found}")


def _wrong_value(location: KeyPath, value: object, schema: "Schema") -> Fault:
    path = schema.resolve(location)
    shows_value = "storage_options" not in path and not isinstance(value, dict | list)
    found = _quoted(value) if shows_value else _kind(value)
    expected = schema.expectation(location)
    is_bare = isinstance(value, bool | int | float) and expected.startswith(_TEXT)
    hint = "; in quotes it is text" if is_bare else ""
    return Fault(path, f"expected {expected}, got {found}{hint}", shows_value=shows_value)


def _unknown_key(location: KeyPath, schema: "Schema") -> str:
    known = schema.keys(location[:-1])
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known here are {', '.join(known)}"
    return f"unknown key; {hint}"


class Schema:
    """The JSON Schema of a model, asked about single keys.

    It is asked by locations of pydantic's, which name members of unions on their way.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self._root: JsonSchema = model.model_json_schema()

    def resolve(self, location: KeyPath) -> KeyPath:
        """Return a location without the members of unions that it names on its way."""
        return self._walk(location)[0]

    def keys(self, location: KeyPath) -> list[str]:
        """Return the keys of the section at a location."""
        schemas = self._walk(location)[1]
        return [key for schema in schemas for key in schema.get("properties", {})]

    def expectation(self, location: KeyPath) -> str:
        """Return what the value at a location has to be, such as "auto or an integer"."""
        return " or ".join(dict.fromkeys(map(_worded, self._walk(location)[1])))

    def _walk(self, location: KeyPath) -> tuple[KeyPath, list[JsonSchema]]:
        """Return the keys and list positions of a location, and the schemas of what is there."""
        path: KeyPath = ()
        found = list(self._alternatives(self._root))
        for step in location:
            inner = [_inside(schema, step) for schema in found]
            if any(inner):
                path = (*path, step)
                found = [each for schema in inner if schema for each in self._alternatives(schema)]
            else:
                found = [schema for schema in found if _is_tagged(schema, step)] or found
        return path, found

    def _alternatives(self, schema: JsonSchema) -> Iterator[JsonSchema]:
        if "$ref" in schema:
            yield from self._alternatives(self._root["$defs"][schema["$ref"].rpartition("/")[2]])
        elif members := schema.get("anyOf") or schema.get("oneOf"):
            for member in members:
                yield from self._alternatives(member)
        else:
            yield schema


def _is_tagged(schema: JsonSchema, tag: str | int) -> bool:
    """Return whether a schema is that of the union's member with this tag."""
    return any(value.get("const") == tag for value in schema.get("properties", {}).values())


def _inside(schema: JsonSchema, step: str | int) -> JsonSchema | None:
    named: Mapping[object, JsonSchema] = schema.get("properties", {})
    found = schema.get("items") if isinstance(step, int) else named.get(step)
    others = schema.get("additionalProperties")
    # Sections by names that users choose; what has plain values may be a member of a union.
    if found is None and isinstance(others, Mapping) and "$ref" in others:
        found = others
    return found


def _worded(schema: JsonSchema) -> str:
    match schema:
        case {"const": constant}:
            return str(constant)
        case {"enum": members}:
            return f"one of {', '.join(map(str, members))}"
        case {"type": "integer"}:
            return f"an integer{_bounds(schema)}"
        case {"type": "number"}:
            return f"a number{_bounds(schema)}"
        case {"type": "string"}:
            return _TEXT
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "array", "items": items}:
            return (
                f"a list{' of at least one' if schema.get('minItems') else ''} of {_worded(items)}"
            )
        case {"type": "object"}:
            return "keys with values"
    return str(schema.get("type", "another value"))


def _bounds(schema: JsonSchema) -> str:
    match schema:
        case {"minimum": least, "maximum": most}:
            return f" from {least:g} to {most:g}"
        case {"exclusiveMinimum": least, "maximum": most}:
            return f" above {least:g} and up to {most:g}"
        case {"minimum": least}:
            return f" of at least {least:g}"
        case {"exclusiveMinimum": least}:
            return f" above {least:g}"
    return ""


def _quoted(value: object) -> str:
    if isinstance(value, str) and len(value) > _MAX_SHOWN_CHARACTERS:
        value = f"{value[:_MAX_SHOWN_CHARACTERS]}..."
    return _kind(value) if value is None else json.dumps(value, ensure_ascii=False)


def _kind(value: object) -> str:
    kinds = {dict: "keys with values", list: "a list", str: "text", type(None): "nothing"}
    return kinds.get(type(value), "a number" if not isinstance(value, bool) else "true or false")
