"""Where a checkpoint comes from, which of its files count, and its fingerprint."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslbatch.errors import ModelError
from aslbatch.models.download import download_hub, download_url
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
    def identity(self) -> dict[str, str]:
        """What says which weights these are, by its name in records."""
        return {"name": self.name, "revision": self.revision, "sha256": self.sha256}

    @property
    def location(self) -> str:
        """What finds it again from another working directory, or another machine."""
        return str(self.folder) if Path(self.name).is_dir() else self.name


def find_checkpoint(
    name: str,
    *,
    revision: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Checkpoint:
    """Bring a checkpoint into a local folder and fingerprint it.

    Args:
        name: `demo` (shipped in the package), a local folder, an fsspec URL of a folder, or a
            Hugging Face Hub id (a private one is read with the token of the environment).
        revision: Branch, tag or commit on the Hub.
        storage_options: Arguments of the URL's file system; the place for credentials.

    Raises:
        ModelError: There is no such checkpoint, or it lacks files that are needed.
    """
    folder, found_revision = _locate(name, revision, storage_options or {})
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


def _locate(
    name: str, revision: str | None, storage_options: Mapping[str, Any]
) -> tuple[Path, str]:
    if name == DEMO:
        return DEMO_FOLDER, revision or ""
    if name.startswith("hf://"):
        raise ModelError(
            f"model.name {name!r}: write the Hub id alone, such as manohonsy/asl-mbart-50-lora, "
            f"and what follows @ as model.revision, so that the commit is recorded"
        )
    if "://" in name:
        return download_url(name, _FILES, storage_options), revision or ""
    if Path(name).is_dir():
        return Path(name).absolute(), revision or ""
    if _HUB_ID.fullmatch(name):
        return download_hub(name, revision, _FILES)
    raise ModelError(
        f"model.name {name!r}: no such folder; expected 'demo', a local folder, a URL such as "
        f"s3://bucket/model, or a Hub id such as manohonsy/asl-mbart-50-lora"
    )
