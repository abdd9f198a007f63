"""What a data card says of the columns is what the Hub's library makes of them."""

import datasets
import pyarrow as pa
import pytest
import yaml

from aslbatch.pipelines.features import features
from aslbatch.schema import TAG, translation_fields

OTHERS = pa.schema(
    [
        ("small", pa.int8()),
        ("large", pa.uint64()),
        ("half", pa.float16()),
        ("double", pa.float64()),
        ("yes", pa.bool_()),
        ("nothing", pa.null()),
        ("text", pa.large_string()),
        ("lists", pa.list_(pa.list_(TAG))),
        ("nested", pa.struct([("a", pa.list_(pa.struct([("b", pa.float32())])))])),
    ]
)


@pytest.mark.parametrize("schema", [pa.schema(translation_fields(alternatives=True)), OTHERS])
def test_features_are_read_back_as_the_types(schema):
    stated = yaml.safe_load(yaml.safe_dump(features(schema)))
    expected = datasets.Features.from_arrow_schema(schema)
    assert datasets.Features._from_yaml_list(stated) == expected
