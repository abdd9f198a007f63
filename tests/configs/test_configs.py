"""Every configuration in `configs/` is one of a job, and valid."""

from pathlib import Path

import pytest

from aslbatch.config.dataset_sections import (
    AslgSection,
    FloresAslSection,
    HowToSignSection,
    PairColumns,
    PairsSection,
)
from aslbatch.config.load import load_config
from aslbatch.config.prepare import (
    DuplicatesSection,
    ExcludedSection,
    LeakageSection,
    PrepareConfig,
    PrepareSinkSection,
)
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.config.score import ScoreConfig
from aslbatch.config.section import Section
from aslbatch.config.train import NewModelSection, TrainConfig
from aslbatch.config.translate import TranslateConfig

FOLDER = Path(__file__).parents[2] / "configs"
JOBS = {
    "prepare.yaml": PrepareConfig,
    "prepare.pairs.yaml": PrepareConfig,
    "pseudogloss.yaml": PseudoglossConfig,
    "quickstart.yaml": TranslateConfig,
    "score.flores.yaml": ScoreConfig,
    "score.yaml": ScoreConfig,
    "train.back-translation.yaml": TrainConfig,
    "train.demo.yaml": TrainConfig,
    "train.lora.yaml": TrainConfig,
    "train.small.yaml": TrainConfig,
    "translate.yaml": TranslateConfig,
    "translate.gloss-to-english.yaml": TranslateConfig,
}


def test_every_config_file_is_accounted_for():
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.y*ml")} == set(JOBS)


@pytest.mark.parametrize(("name", "model"), JOBS.items())
def test_config_file_is_valid(name, model):
    load_config(FOLDER / name, model)


def test_full_example_names_every_key_with_its_default():
    example = load_config(FOLDER / "translate.yaml", TranslateConfig)
    minimal = TranslateConfig.model_validate(
        {
            "source": {"paths": example.source.paths},
            "model": {"name": example.model.name},
            "sink": {"path": example.sink.path},
        }
    )
    assert example == minimal
    given = {name: getattr(example, name).model_fields_set for name in TranslateConfig.model_fields}
    known = {name: set(type(getattr(example, name)).model_fields) for name in given}
    assert given == known


def test_the_pseudogloss_example_names_every_key_with_its_default():
    example = load_config(FOLDER / "pseudogloss.yaml", PseudoglossConfig)
    given = {"source", "teacher", "prompt", "cost", "gold"}
    minimal = PseudoglossConfig.model_validate(
        {**{name: getattr(example, name) for name in given}, "sink": {"path": example.sink.path}}
    )
    assert example == minimal
    sections = [getattr(example, name) for name in PseudoglossConfig.model_fields]
    for section in filter(lambda each: isinstance(each, Section), sections):
        missing = set(type(section).model_fields) - section.model_fields_set
        assert not missing or section is example.normalize
    changed = {
        "source": {"paths", "text_column", "columns", "license"},
        "teacher": {"kind", "model"},
        "prompt": {"examples", "english", "gloss"},
        "cost": {"prices"},
        "gold": {"paths"},
    }
    for name, keys in changed.items():
        section = getattr(example, name)
        for key, field in type(section).model_fields.items():
            if key not in keys:
                assert getattr(section, key) == field.get_default(call_default_factory=True)


def test_the_score_example_has_the_defaults():
    example = load_config(FOLDER / "score.yaml", ScoreConfig)
    minimal = ScoreConfig.model_validate(
        {
            "pairs": {"paths": example.pairs.paths},
            "model": {"name": example.model.name},
            "sink": {"path": example.sink.path},
        }
    )
    assert example == minimal
    assert example.pairs.model_fields_set == set(type(example.pairs).model_fields)
    assert example.model_fields_set == set(ScoreConfig.model_fields)


def sections(section):
    """Yield a section and all sections in it."""
    yield section
    for _, value in section:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Section):
                yield from sections(part)


def test_the_prepare_example_has_the_defaults():
    example = load_config(FOLDER / "prepare.yaml", PrepareConfig)
    minimal = PrepareConfig.model_validate(
        {
            "datasets": [
                {"kind": each.kind, "paths": each.paths, "split": each.split}
                for each in example.datasets
            ],
            "sink": {"path": example.sink.path},
        }
    )
    assert example == minimal
    assert example.model_fields_set == set(PrepareConfig.model_fields)


def test_the_prepare_examples_name_every_key():
    named = {}
    for name in ("prepare.yaml", "prepare.pairs.yaml"):
        for section in sections(load_config(FOLDER / name, PrepareConfig)):
            named.setdefault(type(section), set()).update(section.model_fields_set)
    expected = [
        PrepareConfig, HowToSignSection, FloresAslSection, AslgSection, PairsSection, PairColumns,
        DuplicatesSection, LeakageSection, ExcludedSection, PrepareSinkSection,
    ]  # fmt: skip
    assert {kind: named[kind] for kind in expected} == {
        kind: set(kind.model_fields) for kind in expected
    }


def test_the_train_example_names_every_key_with_its_default():
    example = load_config(FOLDER / "train.lora.yaml", TrainConfig)
    labeled = ("paths", "english", "gloss", "where")  # as the pseudogloss job writes them
    minimal = TrainConfig.model_validate(
        {
            "data": [{name: getattr(example.data[0], name) for name in labeled}],
            "validation": {name: getattr(example.validation, name) for name in labeled},
            "start": {"name": example.start.name},
            "sink": {"path": example.sink.path},
        }
    )
    assert example == minimal
    for section in sections(example):
        assert section.model_fields_set == set(type(section).model_fields)


def test_the_small_example_names_every_key_of_a_new_model():
    new = load_config(FOLDER / "train.small.yaml", TrainConfig).start.new
    assert new.model_fields_set == set(NewModelSection.model_fields)
    assert new == NewModelSection(vocabulary=new.vocabulary)
