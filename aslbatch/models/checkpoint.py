"""Where a checkpoint comes from, which of its files count, and its fingerprint."""

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import fsspec

from aslbatch.errors import ModelError
from aslbatch.provenance.hashing import sha256_file, sha256_json

DEMO = "demo"
DEMO_FOLDER = Path(__file__).parent / "demo"

_FILES = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "sentencepiece.bpe.model",
)
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that lies in a local folder.

    Attributes:
        name: What the configuration calls it.
        revision: The commit on the Hub, or the revision asked for; empty where there is none.
        folder: Where its files lie.
        sha256: Fingerprint over configuration, tokenizer and weights, in hex.
    """

    name: str
    revision: str
    folder: Path
    sha256: str

    @property
    def location(self) -> str:
        """What finds it again from another working directory, or another machine."""
        return str(self.folder) if Path(self.name).is_dir() else self.name


def find_checkpoint(name: str, *, revision: str | None = None) -> Checkpoint:
    """Bring a checkpoint into a local folder and fingerprint it.

    Args:
        name: `demo` (shipped in the package), a local folder, an fsspec URL of a folder (its
            credentials come from the environment), or a Hugging Face Hub id.
        revision: Branch, tag or commit on the Hub.

    Raises:
        ModelError: There is no such checkpoint, or it lacks files that are needed.
    """
    folder, found_revision = _locate(name, revision)
    files = checkpoint_files(folder, name)
    fingerprint = sha256_json({file.name: sha256_file(file) for file in files})
    return Checkpoint(name, found_revision, folder, fingerprint)


def checkpoint_files(folder: Path, name: str) -> list[Path]:
    """Return the files of a checkpoint that take part in translation, sorted by name.

    Raises:
        ModelError: A file is missing, the weights are no safetensors, or the model is not mBART.
    """
    files = sorted({file for pattern in _FILES for file in folder.glob(pattern)})
    names = {file.name for file in files}
    if "config.json" not in names:
        raise ModelError(f"{name}: no config.json in {folder}; is it a checkpoint folder?")
    if not any(file.suffix == ".safetensors" for file in files):
        raise ModelError(
            f"{name}: no *.safetensors in {folder}; pickled weights (*.bin) are never loaded, "
            f"convert them with save_pretrained(..., safe_serialization=True)"
        )
    if not names & {"tokenizer.json", "sentencepiece.bpe.model"}:
        raise ModelError(f"{name}: neither tokenizer.json nor sentencepiece.bpe.model in {folder}")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model_type = config.get("model_type")
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{name}: {folder / 'config.json'} is not a JSON object") from error
    if model_type != "mbart":
        raise ModelError(
            f"{name}: model_type is {model_type!r}, expected 'mbart' (an mBART-50 checkpoint such "
            f"as manohonsy/asl-mbart-50-lora)"
        )
    return files


def _locate(name: str, revision: str | None) -> tuple[Path, str]:
    if name == DEMO:
        return DEMO_FOLDER, revision or ""
    if "://" in name:
        return _download_url(name), revision or ""
    if Path(name).is_dir():
        return Path(name).absolute(), revision or ""
    if _HUB_ID.fullmatch(name):
        return _download_hub(name, revision)
    raise ModelError(
        f"model.name {name!r}: no such folder; expected 'demo', a local folder, a URL such as "
        f"s3://bucket/model, or a Hub id such as manohonsy/asl-mbart-50-lora"
    )


def _download_hub(name: str, revision: str | None) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
    except LocalEntryNotFoundError as error:
        raise ModelError(
            f"{name}: neither in the local Hub cache nor can the Hub be reached; without a "
            f"network, set model.name to a local folder or to 'demo'"
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise ModelError(f"{name} (revision {revision or 'main'}): {error}") from error
    # A snapshot's folder is named after its commit, which pins what was really loaded.
    return folder, folder.name if _COMMIT.fullmatch(folder.name) else revision or ""


def _download_url(url: str) -> Path:
    """Copy a remote folder once into the cache; a half-made copy is never used."""
    try:
        filesystem, root = fsspec.core.url_to_fs(url)
        listed = filesystem.ls(root, detail=True)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(f"{url}: cannot be listed ({error})") from error
    remote = {Path(entry["name"]).name: entry for entry in listed if entry["type"] == "file"}
    wanted = {
        name: entry
        for name, entry in remote.items()
        if any(Path(name).match(pattern) for pattern in _FILES)
    }
    identity = {"url": url} | {name: filesystem.ukey(e["name"]) for name, e in wanted.items()}
    target = _cache_folder() / sha256_json(identity)[:32]
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
    try:
        for name, entry in wanted.items():
            filesystem.get_file(entry["name"], str(partial / name))
        partial.rename(target)
    except OSError as error:
        if not target.is_dir():  # else another worker of this node was faster
            raise ModelError(f"{url}: cannot be copied to {target} ({error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aslbatch" / "models"
