"""Convert a checkpoint for CTranslate2, once a machine, whoever asks and whatever is killed.

Conversion runs in a process of its own (`python -m aslbatch.models.conversion`): it needs torch and
several times the memory of the engine, which then needs neither. That process holds the lock, so
that of many workers one converts and the others wait, and whatever is killed, the next goes on.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from aslbatch.errors import ModelError
from aslbatch.models.cache import cache_folder, make_once
from aslbatch.provenance.hashing import sha256_json

MODEL_FILE = "model.bin"
_LAYOUT = 1
"""Goes up when the same checkpoint is to be converted in another way."""
_LAST_LINES = 5


def converted(folder: Path, *, fingerprint: str, precision: str) -> Path:
    """Return the converted form of a checkpoint; make it where it is not there yet.

    Args:
        folder: The checkpoint's folder.
        fingerprint: Its SHA-256, see `aslbatch.models.checkpoint`.
        precision: Type of the stored weights: `int8`, `float32`, `float16` or `bfloat16`.

    Raises:
        ModelError: It cannot be converted; the message holds the end of what the process said.
    """
    target = cache_folder("engines") / _key(fingerprint, precision)
    if not target.is_dir():
        convert_apart(folder, target, precision)
    return target


def convert_apart(folder: Path, target: Path, precision: str) -> None:
    """Convert a checkpoint into `target` in a process of its own; see `converted`.

    Raises:
        ModelError: It cannot be converted; the message holds the end of what the process said.
    """
    words = [sys.executable, "-m", __name__, str(folder), str(target), precision]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode or not target.is_dir():
        said = " / ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
        raise ModelError(
            f"{folder}: cannot be converted for CTranslate2 into {target} (exit code "
            f"{done.returncode}: {said}); it takes about twice the checkpoint's size in memory "
            f"and disk, and XDG_CACHE_HOME names another place; or set model.engine to "
            f"transformers"
        )


def _key(fingerprint: str, precision: str) -> str:
    made_by = {"ctranslate2": version("ctranslate2"), "layout": _LAYOUT}
    return sha256_json({"checkpoint": fingerprint, "precision": precision, **made_by})[:32]


def convert_once(folder: Path, target: Path, precision: str) -> bool:
    """Convert a checkpoint into `target` unless it is there; wait for whoever is at it.

    Returns:
        Whether this call converted.

    Raises:
        ModelError: The checkpoint is not what a translation needs.
        OSError: The cache cannot be written.
    """
    return make_once(target, lambda partial: _convert(folder, partial, precision))


def _convert(folder: Path, target: Path, precision: str) -> None:
    from ctranslate2.converters import TransformersConverter

    from aslbatch.models.loading import load_model

    loaded = load_model(folder, languages=(), precision="float32", device="cpu")
    # What CTranslate2 asks of a configuration, and mBART's own leaves out or names otherwise.
    config = loaded.model.config
    config.normalize_before = config.normalize_embedding = True
    config.tokenizer_class = "MBart50Tokenizer"

    class Converter(TransformersConverter):  # type: ignore[misc]
        """Takes the model that is loaded and checked already."""

        def load_model(self, *_: object, **__: object) -> object:
            return loaded.model

        def load_tokenizer(self, *_: object, **__: object) -> object:
            return loaded.tokenizer.backend

    Converter(str(folder)).convert(str(target), quantization=precision, force=True)
    path = target / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "decoder_start_token": "</s>",
        "layer_norm_epsilon": 1e-5,
    }
    path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def main(words: Sequence[str]) -> None:
    """Convert: checkpoint folder, target folder, precision."""
    folder, target, precision = words
    convert_once(Path(folder), Path(target), precision)


if __name__ == "__main__":
    main(sys.argv[1:])
