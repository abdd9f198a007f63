"""The JSON Schema given to editors."""

import json

import pytest

from aslbatch.config.json_schema import json_schema
from aslbatch.config.prepare import PrepareConfig
from aslbatch.config.translate import TranslateConfig


@pytest.mark.parametrize(("config", "count"), [(TranslateConfig, 10), (PrepareConfig, 10)])
def test_every_key_of_every_section_is_described(config, count):
    schema = json_schema(config)
    sections = [schema, *(each for name, each in schema["$defs"].items() if "Section" in name)]
    bare = [
        key
        for section in sections
        for key, value in section["properties"].items()
        if not value.get("description") and "$ref" not in value
    ]
    assert len(sections) == count
    assert bare == []


def test_schema_is_json_and_refuses_unknown_keys():
    schema = json_schema(TranslateConfig)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
