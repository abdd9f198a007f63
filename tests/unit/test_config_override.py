"""Values given as `--set section.key=value`."""

import pytest

from aslbatch.config.load import load_config
from aslbatch.config.pseudogloss import PriceSection, PseudoglossConfig
from aslbatch.config.translate import TranslateConfig
from aslbatch.errors import ConfigError

TEXT = "source: {paths: a}\nmodel: {name: demo}\nsink: {path: out}\ndecoding: {num_beams: x}\n"


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(TEXT, encoding="utf-8")
    return lambda *overrides: load_config("job.yaml", TranslateConfig, overrides)


def test_overrides_replace_values_and_faults_of_the_file(load):
    config = load(
        "decoding.num_beams=2", "source.paths=[b, c]", "run.workers=auto", "run.workers=3"
    )
    assert config.decoding.num_beams == 2
    assert config.source.paths == ["b", "c"]
    assert config.run.workers == 3


def test_override_may_hold_a_whole_section_or_an_equals_sign(load):
    config = load("decoding={num_beams: 1}", "sink.path=out/day=1")
    assert config.decoding.num_beams == 1
    assert config.sink.path == "out/day=1"


def test_a_key_with_dots_is_quoted(tmp_path):
    (tmp_path / "job.yaml").write_text(
        "source: {paths: a}\nteacher: {kind: chat, model: gpt-4.1}\nsink: {path: out}\n"
    )
    given = ['cost.prices."gpt-4.1".input=1', 'cost.prices."gpt-4.1"."output"=2', "cost.max_cost=3"]
    found = load_config(tmp_path / "job.yaml", PseudoglossConfig, given)
    assert found.cost.prices == {"gpt-4.1": PriceSection(input=1.0, output=2.0)}
    wrong = [*given[:1], 'cost.prices."gpt-4.1".output=x']
    with pytest.raises(ConfigError, match=r"output=x: expected a number of at least 0, got .x.$"):
        load_config(tmp_path / "job.yaml", PseudoglossConfig, wrong)
    for broken in ('cost.prices."gpt.input=1', 'cost.a"b".c=1', "cost..max_cost=1"):
        with pytest.raises(ConfigError, match=r"expected section\.key=value"):
            load_config(tmp_path / "job.yaml", PseudoglossConfig, [broken])


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        (
            "decoding.num_beams=four",
            '--set decoding.num_beams=four: expected an integer of at least 1, got "four"',
        ),
        (
            "decoding.num_beams=",
            "--set decoding.num_beams=: expected an integer of at least 1, got nothing",
        ),
        (
            "decoding={num_beams: 0}",
            "--set decoding=...: decoding.num_beams: expected an integer of at least 1, got 0",
        ),
        (
            "decoding={seed: 1, seed: 2}",
            "--set decoding=...: decoding.seed: duplicate key; it is first set on line 1",
        ),
        ("model=", "--set model=...: model.name: required key is missing"),
    ],
)
def test_fault_names_the_option(load, override, fault):
    with pytest.raises(ConfigError) as caught:
        load(override)
    assert fault in caught.value.faults


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("run.worker=1", "--set run.worker=...: unknown key; did you mean workers?"),
        ("rum.workers=1", "--set rum.workers=...: rum: unknown key; did you mean run?"),
        (
            "source.paths.x=1",
            "--set source.paths.x=...: unknown key; source.paths holds no keys",
        ),
        ("run.workers", "--set run.workers: expected section.key=value"),
        ("run..workers=1", "--set run..workers: expected section.key=value"),
    ],
)
def test_unknown_path_is_a_fault_beside_those_of_the_file(load, override, fault):
    with pytest.raises(ConfigError) as caught:
        load(override)
    assert list(caught.value.faults) == [
        'job.yaml:4: decoding.num_beams: expected an integer of at least 1, got "x"',
        fault,
    ]


def test_unreadable_value_is_a_fault_of_its_option(load):
    with pytest.raises(ConfigError, match=r"--set run.workers=...: not valid YAML: ") as caught:
        load("run.workers=[1")
    assert len(caught.value.faults) == 2
