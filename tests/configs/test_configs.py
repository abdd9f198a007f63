"""Every configuration in `configs/` is one of a job, and valid."""

from pathlib import Path

import pytest

from aslbatch.config.load import load_config
from aslbatch.config.score import ScoreConfig
from aslbatch.config.translate import TranslateConfig

FOLDER = Path(__file__).parents[2] / "configs"
JOBS = {
    "quickstart.yaml": TranslateConfig,
    "score.yaml": ScoreConfig,
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
