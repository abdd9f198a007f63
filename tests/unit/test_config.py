"""Loading a configuration: every fault at once, each with its file and line."""

import json
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from aslbatch.config.load import load_config
from aslbatch.config.resolved import resolved
from aslbatch.config.train import TrainConfig
from aslbatch.config.translate import TranslateConfig
from aslbatch.errors import ConfigError
from aslbatch.text.normalize import NormalizeRules

MINIMAL = """\
source:
  paths: corpus.parquet
model:
  name: demo
sink:
  path: out
"""


@pytest.fixture
def faults_of(tmp_path, monkeypatch):
    """Return the faults of a configuration, which is written to `job.yaml`."""
    monkeypatch.chdir(tmp_path)

    def load(text, *overrides):
        Path("job.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config("job.yaml", TranslateConfig, overrides)
        return list(caught.value.faults)

    return load


@pytest.fixture
def loaded(tmp_path):
    """Return a configuration from its text."""

    def load(text, *overrides):
        path = tmp_path / "job.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, TranslateConfig, overrides)

    return load


def test_minimal_config_takes_the_documented_defaults(loaded):
    config = loaded(MINIMAL)

    assert config.source.paths == ["corpus.parquet"]
    assert (config.languages.source, config.languages.target) == ("en", "ase")
    assert (config.decoding.num_beams, config.decoding.max_length) == (4, 128)
    assert config.batching.max_tokens == "auto"
    assert config.run.shard_timeout_s is None


def test_five_faults_give_five_lines_with_file_and_line(faults_of):
    text = """\
source:
  paths: [a.parquet, 5]
  format: xml
decoding:
  num_beams: four
  num_beem: 3
sink:
  path: out
"""
    assert faults_of(text) == [
        "job.yaml:1: model: required key is missing",
        "job.yaml:2: source.paths[1]: expected non-empty text, got 5; in quotes it is text",
        "job.yaml:3: source.format: expected one of auto, parquet, arrow, jsonl, csv, tsv, text, "
        'tmx, srt, vtt, ass, got "xml"',
        'job.yaml:5: decoding.num_beams: expected an integer of at least 1, got "four"',
        "job.yaml:6: decoding.num_beem: unknown key; did you mean num_beams?",
    ]


def test_duplicate_keys_are_reported_beside_other_faults(faults_of):
    text = MINIMAL + "decoding:\n  num_beams: 0\n  seed: 1\n  num_beams: 2\nsink:\n  path: x\n"
    assert faults_of(text) == [
        "job.yaml:8: decoding.num_beams: expected an integer of at least 1, got 0",
        "job.yaml:10: decoding.num_beams: duplicate key; it is first set on line 8",
        "job.yaml:11: sink: duplicate key; it is first set on line 5",
    ]


def test_missing_key_points_at_its_section(faults_of):
    text = MINIMAL.replace("  name: demo", "  revision: abc")
    assert faults_of(text) == ["job.yaml:3: model.name: required key is missing"]


def test_unknown_key_without_a_near_match_lists_the_known_ones(faults_of):
    assert faults_of(MINIMAL + "batching:\n  zzz: 1\n") == [
        "job.yaml:8: batching.zzz: unknown key; known here are max_tokens, target_ratio"
    ]


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("run:\n  workers: 0", "8: run.workers: expected auto or an integer of at least 1, got 0"),
        (
            "run:\n  max_failed_rows: 2",
            "8: run.max_failed_rows: expected a number from 0 to 1, got 2",
        ),
        (
            "run:\n  shard_timeout_s: 0",
            "8: run.shard_timeout_s: expected a number above 0 or null, got 0",
        ),
        (
            "decoding:\n  top_p: .nan",
            "8: decoding.top_p: expected a number above 0 and up to 1, got NaN",
        ),
        (
            "decoding:\n  num_beams: true",
            "8: decoding.num_beams: expected an integer of at least 1, got true",
        ),
        (
            "normalize:\n  nfkc: 1",
            "8: normalize.nfkc: expected true or false, got 1",
        ),
        (
            "languages:\n  source: ase",
            "7: languages.target: ase is the language of languages.source too",
        ),
        (
            "languages:\n  source: en\n  target: en_XX",
            "9: languages.target: en_XX is the language of languages.source too",
        ),
        (
            "decoding:\n  num_return_sequences: 5",
            "8: decoding.num_return_sequences: is 5, but 4 beams give 4 hypotheses; "
            "raise decoding.num_beams, or sample with decoding.num_beams 1",
        ),
        ("run: 3", "7: run: expected keys with values, got 3"),
        ("run:\n  workers: !x 3", "8: run.workers: YAML tags are not supported"),
        ("run:\n  <<: {a: 1}", "8: run: merge keys (<<) are not supported"),
        ("run: &a\n  workers: *a", "8: run.workers: an alias inside of what it stands for"),
    ],
)
def test_fault_names_path_expectation_and_value(faults_of, section, fault):
    assert faults_of(f"{MINIMAL}{section}\n") == [f"job.yaml:{fault}"]


def test_json_lines_are_not_compressed_with_snappy(faults_of, loaded):
    text = MINIMAL + "  format: jsonl\n  compression: snappy\n"
    assert faults_of(text) == [
        "job.yaml:8: sink.compression: is snappy, which JSON lines do not have; choose zstd or none"
    ]
    assert loaded(text.replace("snappy", "none")).sink.format == "jsonl"
    assert loaded(text.replace("jsonl", "parquet")).sink.compression == "snappy"


def test_fault_in_one_item_of_a_list_names_the_item(faults_of):
    text = MINIMAL.replace("  paths: corpus.parquet", "  paths: x\n  columns:\n  - id\n  - 7")
    assert faults_of(text) == [
        "job.yaml:5: source.columns[1]: expected non-empty text, got 7; in quotes it is text"
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("source: [1", "job.yaml:1:11: not valid YAML: "),
        ("a: 1\n  b: 2\n", "job.yaml:2:4: not valid YAML: "),
        ("a: 1\nb: \x00", "job.yaml:2:4: not valid YAML: "),
        ("a: 1\n---\nb: 2\n", "job.yaml:2:1: not valid YAML: "),
        ("[1, 2]", "job.yaml:1: expected sections such as `source:`"),
    ],
)
def test_unreadable_yaml_is_one_fault_with_its_place(faults_of, text, place):
    (fault,) = faults_of(text)
    assert fault.startswith(place)


def test_empty_file_lacks_the_required_sections(faults_of):
    assert [fault.split(":")[2].strip() for fault in faults_of("")] == ["source", "model", "sink"]


def test_missing_or_undecodable_file_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load_config(tmp_path / "none.yaml", TranslateConfig)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match=r"latin\.yaml: not UTF-8 text"):
        load_config(tmp_path / "latin.yaml", TranslateConfig)


def test_null_section_stands_for_its_defaults(loaded):
    assert loaded(MINIMAL + "run:\n  # workers: 2\n").run.workers == "auto"


def test_scientific_notation_is_a_number_and_a_date_is_text(loaded):
    text = MINIMAL.replace("demo", "demo\n  revision: 2024-01-01")
    config = loaded(text + "run:\n  max_failed_rows: 1e-3\n")
    assert config.run.max_failed_rows == 0.001
    assert config.model.revision == "2024-01-01"


def test_aliases_are_followed(loaded):
    text = MINIMAL.replace("parquet", "parquet\n  storage_options: &store {key: a}")
    config = loaded(text + "  storage_options: *store\n", "source.storage_options.key=b")
    assert config.sink.storage_options == {"key": "a"}
    assert config.source.storage_options == {"key": "b"}


def test_environment_variables_are_not_expanded(loaded, monkeypatch):
    monkeypatch.setenv("PLACE", "elsewhere")
    assert loaded(MINIMAL, "sink.path=$PLACE/x").sink.path == "$PLACE/x"


def test_config_is_frozen_and_picklable(loaded):
    config = loaded(MINIMAL)
    with pytest.raises(ValidationError, match="frozen"):
        config.model.name = "other"
    assert pickle.loads(pickle.dumps(config)) == config


def test_resolved_fills_defaults_and_hides_secrets(loaded):
    sink = "sink.storage_options={key: hunter2, more: {a: hunter2}}"
    values = resolved(loaded(MINIMAL, sink, "model.storage_options={secret: hunter2}"))
    assert values["sink"]["storage_options"] == {"key": "***", "more": "***"}
    assert values["model"]["storage_options"] == {"secret": "***"}
    assert values["decoding"]["num_beams"] == 4
    assert "hunter2" not in str(values)


@pytest.mark.parametrize(
    ("text", "override"),
    [
        (MINIMAL + "  storage_options: hunter2\n", None),
        (MINIMAL + "  storage_options: [hunter2]\n", None),
        (MINIMAL + "  storage_options: {key: !hunter2 x}\n", None),
        (MINIMAL + "  storage_options: {key: *hunter2}\n", None),
        (MINIMAL + "  storage_option: {key: hunter2}\n", None),
        (MINIMAL.replace("out", "s3://me:hunter2@host/out"), None),
        (MINIMAL, "sink.storage_options=hunter2"),
        (MINIMAL, "sink.storage_options.key=[hunter2"),
        (MINIMAL, "sink.storage_option.key=hunter2"),
        (MINIMAL, "sink={path: 3, storage_options: {key: hunter2}}"),
        (MINIMAL, "sink.storage_options.key:hunter2"),
        (MINIMAL, "sink.path=s3://me:hunter2@host/out"),
    ],
)
def test_secrets_are_never_printed(faults_of, text, override):
    faults = faults_of(text, *([override] if override else []))
    assert faults
    assert "hunter2" not in "\n".join(faults)


@pytest.mark.parametrize(
    ("source", "target", "cleaned"), [("en", "ase", True), ("ase", "en", False)]
)
def test_rules_for_captions_spare_gloss_unless_asked_for(source, target, cleaned):
    values = {
        "source": {"paths": "a.txt"},
        "languages": {"source": source, "target": target},
        "model": {"name": "demo"},
        "normalize": {"strip_dashes": True},
        "sink": {"path": "out"},
    }
    rules = TranslateConfig.model_validate(values).normalize_rules()
    assert [rules[f"strip_{what}"] for what in ("markup", "sounds", "music", "speakers")] == [
        cleaned
    ] * 4
    assert rules["strip_dashes"] is True
    assert NormalizeRules(**rules).max_characters == 10_000


def test_a_training_names_no_direction_twice(tmp_path):
    pairs = {"paths": "pairs.parquet", "directions": ["into_gloss", "into_gloss"]}
    start, sink = {"name": "demo"}, {"path": "out"}
    path = tmp_path / "job.yaml"
    path.write_text(
        json.dumps({"data": [pairs], "validation": pairs, "start": start, "sink": sink})
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path, TrainConfig)
    assert ["names a direction twice" in fault for fault in caught.value.faults] == [True, True]
    assert "data[0].directions" in caught.value.faults[0]
