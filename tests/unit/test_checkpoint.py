"""Finding, checking and fingerprinting checkpoints."""

import json
import shutil
import traceback

import pytest
from s3_server import KEY, SECRET, Fault, RandomFaults
from safetensors.numpy import load_file, save_file

from aslbatch.errors import ModelError
from aslbatch.models import download
from aslbatch.models.checkpoint import DEMO_FOLDER, find_checkpoint
from aslbatch.models.inspection import check_checkpoint
from aslbatch.storage import insist
from aslbatch.storage.folder import Storage

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


@pytest.fixture
def remote(s3, tiny_model, tmp_path, monkeypatch):
    """The URL of a checkpoint in a bucket, beside files that are not wanted."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("pytorch_model.bin", "deeper/model.safetensors", "deeper/config.json"):
        Storage(f"{s3.url}/models/tiny", s3.storage_options).publish(name, b"never copied")
    return s3.upload(tiny_model, "models/tiny")


def copies(tmp_path):
    return [path.name for path in (tmp_path / "cache/aslbatch/models").iterdir()]


def test_a_url_is_copied_once_into_the_cache(remote, s3, tiny_model, tmp_path):
    found = find_checkpoint(remote, storage_options=s3.storage_options)
    assert found.sha256 == find_checkpoint(str(tiny_model)).sha256
    assert {path.name for path in found.folder.iterdir()} <= {
        path.name for path in tiny_model.iterdir()
    }
    assert copies(tmp_path) == [found.folder.name]
    s3.server.counts.clear()
    again = find_checkpoint(remote, storage_options=s3.storage_options)
    assert again.folder == found.folder
    assert s3.server.counts == {"LIST": 1}


def test_a_url_whose_files_changed_is_copied_again(remote, s3, tiny_model):
    options = s3.storage_options
    before = find_checkpoint(remote, storage_options=options)
    assert find_checkpoint(remote, storage_options=options).folder == before.folder
    config = json.loads((tiny_model / "config.json").read_text()) | {"note": 1}
    Storage(remote, options).publish("config.json", json.dumps(config).encode())
    after = find_checkpoint(remote, storage_options=options)
    assert (after.folder != before.folder, after.sha256 != before.sha256) == (True, True)


def test_a_copy_survives_a_server_that_fails_every_tenth_request(
    remote, s3, tiny_model, monkeypatch
):
    size = (tiny_model / "model.safetensors").stat().st_size
    monkeypatch.setattr(download, "_BLOCK_BYTES", size // 120)
    s3.server.inject = faults = RandomFaults(0.1, seed=2)
    found = find_checkpoint(remote, storage_options=s3.storage_options)
    assert found.sha256 == find_checkpoint(str(tiny_model)).sha256
    assert sum(faults.injected.values()) > 3
    assert len(faults.injected) > 1


def test_a_copy_of_files_that_change_meanwhile_is_not_kept(
    remote, s3, tiny_model, tmp_path, monkeypatch
):
    data = (tiny_model / "model.safetensors").read_bytes()
    monkeypatch.setattr(download, "_BLOCK_BYTES", len(data) // 3)
    changed = []

    def replace_meanwhile(request):
        if request.kind == "GET" and "model.safetensors" in request.path and not changed:
            changed.append(request)
            Storage(remote, s3.storage_options).publish("model.safetensors", data[:-1] + b"x")

    s3.server.inject = replace_meanwhile
    with pytest.raises(ModelError, match=r"models/tiny: changed while it was copied"):
        find_checkpoint(remote, storage_options=s3.storage_options)
    assert copies(tmp_path) == []
    assert changed


def test_a_file_that_became_shorter_is_an_error(remote, s3, tiny_model, tmp_path):
    data = (tiny_model / "model.safetensors").read_bytes()
    shortened = []

    def shorten(request):
        if request.kind == "GET" and "model.safetensors" in request.path and not shortened:
            shortened.append(request)
            Storage(remote, s3.storage_options).publish("model.safetensors", data[:-9])

    s3.server.inject = shorten
    with pytest.raises(ModelError, match=r"model\.safetensors: cannot be read .*may have changed"):
        find_checkpoint(remote, storage_options=s3.storage_options)
    assert copies(tmp_path) == []


def test_a_server_that_never_answers_is_given_up(remote, s3, monkeypatch):
    monkeypatch.setattr(insist, "PATIENCE_S", 0.5)
    s3.server.inject = lambda _: Fault.SLOW_DOWN
    with pytest.raises(ModelError, match=r"cannot be read.*see to the storage or the network"):
        find_checkpoint(remote, storage_options=s3.storage_options)


@pytest.mark.parametrize("name", ["none", "tiny/config.json", "tiny/deeper/none"])
def test_a_url_that_is_no_folder_says_so(remote, s3, name):
    url = f"{s3.url}/models/{name}"
    with pytest.raises(ModelError, match=rf"^{url}: there is no such folder"):
        find_checkpoint(url, storage_options=s3.storage_options)


def test_a_bucket_that_is_missing_is_no_such_folder(remote, s3):
    with pytest.raises(ModelError, match=r"s3://no-such-bucket-of-ours/m: there is no such folder"):
        find_checkpoint("s3://no-such-bucket-of-ours/m", storage_options=s3.storage_options)


def test_a_wrong_key_is_named_by_its_place_not_by_its_value(remote, s3):
    s3.server.inject = lambda _: Fault.REFUSE
    with pytest.raises(ModelError, match=r"tiny: cannot be read.*model\.storage_options") as caught:
        find_checkpoint(remote, storage_options=s3.storage_options)
    assert s3.server.counts["LIST"] == 1
    text = "".join(traceback.format_exception(caught.value))
    assert "does not exist" in text
    assert SECRET not in text
    assert KEY not in text


def test_a_storage_option_that_is_none_is_an_error_without_the_others(s3):
    wrong = s3.storage_options | {"client_kwargs": {"endpoint_url": "nowhere"}}
    with pytest.raises(ModelError, match=r"check storage_options and the environment") as caught:
        find_checkpoint(f"{s3.url}/models/tiny", storage_options=wrong)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_local_folder_may_be_given_as_a_url(tiny_model):
    found = find_checkpoint(f"file://{tiny_model}")
    assert found.folder == tiny_model
    with pytest.raises(ModelError, match="there is no such folder"):
        find_checkpoint(f"file://{tiny_model}/none")


@pytest.mark.parametrize("scheme", ["nowhere", "memory", "https", "simplecache::s3"])
def test_a_url_of_another_kind_of_storage_is_refused(scheme):
    with pytest.raises(ModelError, match=r"no such kind of storage.*use a local path") as caught:
        find_checkpoint(f"{scheme}://ada:hunter2@models/tiny")
    assert "hunter2" not in caught.value.message
