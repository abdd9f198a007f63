"""A configuration written as YAML reads back as the same configuration."""

import contextlib

import yaml
from hypothesis import given
from hypothesis import strategies as st

from aslbatch.config.document import YamlSyntaxError, read_document
from aslbatch.config.translate import TranslateConfig

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda words: read_document(yaml.safe_dump(words)).value == words and "://" not in words
)
secrets = st.dictionaries(text, text | st.integers() | st.booleans(), max_size=3)
auto = st.just("auto")
counts = st.integers(1, 10**9)
numbers = st.floats(1e-9, 1e9)

configs = st.fixed_dictionaries(
    {
        "source": st.fixed_dictionaries(
            {"paths": text | st.lists(text, min_size=1, max_size=3)},
            optional={
                "format": st.sampled_from(["auto", "parquet", "jsonl", "csv", "tsv", "text"]),
                "text_column": text,
                "columns": st.just("all") | st.lists(text, max_size=3),
                "storage_options": secrets,
            },
        ),
        "model": st.fixed_dictionaries(
            {"name": text}, optional={"revision": text | st.none(), "engine": auto}
        ),
        "sink": st.fixed_dictionaries(
            {"path": text}, optional={"compression": st.sampled_from(["zstd", "snappy", "none"])}
        ),
    },
    optional={
        "languages": st.sampled_from([{}, {"source": "ase", "target": "en"}]),
        "decoding": st.fixed_dictionaries(
            {},
            optional={
                "num_beams": counts,
                "max_length": st.integers(3, 1024),
                "length_penalty": st.floats(-5, 5),
                "top_p": st.floats(0, 1, exclude_min=True),
                "do_sample": st.booleans(),
            },
        ),
        "batching": st.fixed_dictionaries({}, optional={"max_tokens": auto | counts}),
        "normalize": st.fixed_dictionaries({}, optional={"nfkc": st.booleans()}),
        "run": st.fixed_dictionaries(
            {},
            optional={
                "workers": auto | counts,
                "cpus_per_worker": auto | numbers,
                "gpus_per_worker": auto | st.floats(0, 8),
                "max_failed_rows": st.floats(0, 1),
                "shard_timeout_s": numbers | st.none(),
            },
        ),
    },
)


@given(configs)
def test_config_to_yaml_and_back_is_the_same_config(values):
    config = TranslateConfig.model_validate(values)
    document = read_document(yaml.safe_dump(config.model_dump()))
    assert document.faults == []
    assert TranslateConfig.model_validate(document.value) == config


@given(st.text("ab:#-[]{}&*!|>'\"\\%@,? \t\n\x00\x85é"))
def test_any_text_is_read_or_refused_with_a_place_in_it(content):
    with contextlib.suppress(YamlSyntaxError):
        lines = read_document(content).origins.values()
        assert all(1 <= line <= len(content) for line in lines)
