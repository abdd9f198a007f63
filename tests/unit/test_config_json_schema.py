"""The JSON Schema given to editors."""

import json

from aslbatch.config.json_schema import json_schema
from aslbatch.config.translate import TranslateConfig


def test_every_key_of_every_section_is_described():
    schema = json_schema(TranslateConfig)
    sections = [schema, *(each for name, each in schema["$defs"].items() if "Section" in name)]
    bare = [
        key
        for section in sections
        for key, value in section["properties"].items()
        if not value.get("description") and "$ref" not in value
    ]
    assert len(sections) == 10
    assert bare == []


def test_schema_is_json_and_refuses_unknown_keys():
    schema = json_schema(TranslateConfig)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
