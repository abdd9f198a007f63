"""Finding, checking and fingerprinting checkpoints."""

import json
import shutil
import traceback

import fsspec
import pytest
from locked_storage import PASSWORD, lock_up
from safetensors.numpy import load_file, save_file

from aslbatch.errors import ModelError
from aslbatch.models.checkpoint import DEMO_FOLDER, find_checkpoint
from aslbatch.models.inspection import check_checkpoint

LANGUAGES = ("en_XX", "asl_GL")


@pytest.fixture
def copy(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "model")


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_demo_model_ships_with_the_package():
    found = find_checkpoint("demo")
    assert found.folder == DEMO_FOLDER
    check_checkpoint(found, LANGUAGES, max_length=128)


def test_the_fingerprint_is_of_the_files_not_of_the_place(tiny_model, copy):
    assert find_checkpoint(str(tiny_model)).sha256 == find_checkpoint(str(copy)).sha256


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_the_fingerprint_changes_with_any_byte(copy, name):
    before = find_checkpoint(str(copy)).sha256
    data = bytearray((copy / name).read_bytes())
    data[data.index(b"1")] ^= 3  # a digit stays a digit
    (copy / name).write_bytes(bytes(data))
    assert find_checkpoint(str(copy)).sha256 != before


def test_a_card_is_not_part_of_the_fingerprint(copy):
    before = find_checkpoint(str(copy)).sha256
    (copy / "README.md").write_text("about")
    assert find_checkpoint(str(copy)).sha256 == before


def test_a_name_that_is_nothing_says_what_was_expected():
    with pytest.raises(ModelError, match="expected 'demo', a local folder, a URL"):
        find_checkpoint("no-such-folder")


def test_a_hub_model_without_a_network_says_what_to_do():
    with pytest.raises(ModelError, match=r"without a network, set model\.name to a local folder"):
        find_checkpoint("nobody/nothing")


def test_another_architecture_is_refused(copy):
    change_config(copy, model_type="t5")
    with pytest.raises(ModelError, match="model_type is 't5', expected 'mbart'"):
        find_checkpoint(str(copy))


def test_pickled_weights_are_refused(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pickled weights \(\*\.bin\) are never loaded"):
        find_checkpoint(str(copy))


def test_a_missing_language_is_an_error_before_any_work(copy):
    text = (copy / "tokenizer.json").read_text()
    (copy / "tokenizer.json").write_text(text.replace("asl_GL", "xyz_GL"))
    config = (copy / "tokenizer_config.json").read_text()
    (copy / "tokenizer_config.json").write_text(config.replace("asl_GL", "xyz_GL"))
    with pytest.raises(ModelError, match="no language code 'asl_GL'"):
        check_checkpoint(find_checkpoint(str(copy)), LANGUAGES, max_length=128)


def test_embeddings_of_another_size_than_the_vocabulary_are_an_error(copy):
    weights = load_file(copy / "model.safetensors")
    weights["model.shared.weight"] = weights["model.shared.weight"][:-1].copy()
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="embedding rows for a vocabulary of"):
        check_checkpoint(find_checkpoint(str(copy)), LANGUAGES, max_length=128)


def test_more_tokens_than_the_model_has_positions_are_refused(tiny_model):
    with pytest.raises(ModelError, match=r"max_length is 5000, but the model has 256 positions"):
        check_checkpoint(find_checkpoint(str(tiny_model)), LANGUAGES, max_length=5_000)


def test_a_damaged_weights_file_is_an_error(copy):
    (copy / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="not a safetensors file"):
        check_checkpoint(find_checkpoint(str(copy)), LANGUAGES, max_length=128)


def test_a_url_is_copied_once_into_the_cache(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    remote = fsspec.filesystem("memory")
    for file in tiny_model.iterdir():
        remote.pipe_file(f"/models/tiny/{file.name}", file.read_bytes())
    remote.pipe_file("/models/tiny/pytorch_model.bin", b"never copied")
    found = find_checkpoint("memory://models/tiny")
    assert found.sha256 == find_checkpoint(str(tiny_model)).sha256
    assert not (found.folder / "pytorch_model.bin").exists()
    remote.rm("/models/tiny/pytorch_model.bin")
    assert find_checkpoint("memory://models/tiny").folder == found.folder
    remote.rm("/models", recursive=True)


def test_a_url_is_opened_with_the_storage_options(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lock_up(tiny_model, "locked://models/tiny")
    options = {"password": PASSWORD}
    found = find_checkpoint("locked://models/tiny", storage_options=options)
    assert found.sha256 == find_checkpoint(str(tiny_model)).sha256
    with pytest.raises(ModelError, match=r"locked://models/none: there is no such folder"):
        find_checkpoint("locked://models/none", storage_options=options)


def test_a_refused_storage_option_is_named_by_its_place_not_by_its_value(tiny_model):
    lock_up(tiny_model, "locked://models/tiny")
    wrong = PASSWORD[::-1]
    with pytest.raises(ModelError, match=r"ValueError.*model\.storage_options") as caught:
        find_checkpoint("locked://models/tiny", storage_options={"password": wrong})
    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_a_url_of_an_unknown_kind_says_so():
    with pytest.raises(ModelError, match="Protocol not known: nowhere"):
        find_checkpoint("nowhere://models/tiny")
