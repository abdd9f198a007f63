"""Which engine is chosen, and why another is not."""

import json
import re

import pytest

from aslbatch.errors import ModelError
from aslbatch.models.capabilities import CAPABILITIES, Choice, choose_engine
from aslbatch.models.decoding import Decoding

SAMPLING = Decoding(num_beams=1, do_sample=True)


@pytest.fixture
def folder(tmp_path):
    """A checkpoint folder whose generation_config.json is written by `generation`."""
    return tmp_path


def generation(folder, **settings):
    (folder / "generation_config.json").write_text(json.dumps(settings))


def choose(folder, device="cpu", decoding=None, **wanted):
    return choose_engine(folder, device=device, decoding=decoding or Decoding(), **wanted)


def test_auto_takes_the_fastest_of_the_device(folder):
    assert choose(folder) == Choice("ctranslate2", "int8", "cpu")
    assert choose(folder, device="cuda") == Choice("transformers", "bfloat16", "cuda")


def test_auto_keeps_to_the_precision_that_is_asked_for(folder):
    assert choose(folder, precision="float32") == Choice("ctranslate2", "float32", "cpu")
    assert choose(folder, precision="bfloat16") == Choice("transformers", "bfloat16", "cpu")
    assert choose(folder, device="cuda", precision="int8") == Choice("ctranslate2", "int8", "cuda")


def test_sampling_is_for_the_reference(folder):
    assert choose(folder, decoding=SAMPLING).engine == "transformers"
    with pytest.raises(ModelError, match=r"model\.engine ctranslate2 does not sample"):
        choose(folder, decoding=SAMPLING, engine="ctranslate2")


def test_the_engine_for_accelerators_samples_with_one_beam(folder):
    assert choose(folder, decoding=SAMPLING, engine="cuda") == Choice("cuda", "float32", "cpu")
    with pytest.raises(ModelError, match=r"model\.engine cuda samples with decoding\.num_beams 1"):
        choose(folder, decoding=Decoding(do_sample=True), engine="cuda")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("early_stopping", False),
        ("early_stopping", "never"),
        ("no_repeat_ngram_size", 3),
        ("min_length", 5),
        ("repetition_penalty", 1.2),
        ("exponential_decay_length_penalty", [3, 1.1]),
        ("a_setting_of_the_future", 1),
    ],
)
def test_settings_that_mean_something_else_there_are_for_the_reference(folder, key, value):
    generation(folder, **{key: value})
    assert choose(folder).engine == "transformers"
    with pytest.raises(ModelError, match=re.escape(f"does not know {key} = {value!r}")):
        choose(folder, engine="ctranslate2")


def test_settings_that_do_nothing_are_no_obstacle(folder):
    generation(
        folder, early_stopping=True, no_repeat_ngram_size=0, min_length=0, num_beams=4, top_k=50
    )
    assert choose(folder).engine == "ctranslate2"


def test_settings_in_config_json_count_where_there_is_no_other_file(folder):
    (folder / "config.json").write_text(json.dumps({"d_model": 16, "no_repeat_ngram_size": 3}))
    assert choose(folder).engine == "transformers"
    generation(folder)
    assert choose(folder).engine == "ctranslate2"


def test_beams_without_a_length_penalty_are_for_the_reference(folder):
    assert choose(folder, decoding=Decoding(length_penalty=0.0)).engine == "transformers"
    greedy = Decoding(num_beams=1, length_penalty=0.0)
    assert choose(folder, decoding=greedy).engine == "ctranslate2"


def test_a_list_that_is_asked_for_is_not_passed_over(folder):
    assert choose(folder, device="cuda", shortlist="auto").engine == "transformers"
    assert choose(folder, device="cuda", shortlist="latin").engine == "ctranslate2"
    with pytest.raises(ModelError, match=r"transformers has no shortlist; set model\.shortlist"):
        choose(folder, engine="transformers", shortlist="words.txt")


def test_what_no_engine_can_do_is_refused_with_every_reason(folder):
    with pytest.raises(ModelError, match=r"ctranslate2 has no .*; model\.engine transformers has"):
        choose(folder, precision="float8")


def test_a_damaged_generation_config_is_named(folder):
    (folder / "generation_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"generation_config\.json: not JSON"):
        choose(folder)


def test_every_engine_knows_both_devices():
    assert all(can.precisions.keys() == {"cpu", "cuda"} for can in CAPABILITIES.values())
