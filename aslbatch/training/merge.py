"""Merging an adapter into its base: one model that needs neither PEFT nor the two."""

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import MBartForConditionalGeneration

from aslbatch.errors import MergeError
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.text.languages import GLOSS_CODE
from aslbatch.training.adapter import ADAPTER_CONFIG, ADAPTER_WEIGHTS, ROW_NAME
from aslbatch.training.quiet import peft_called
from aslbatch.training.saving import save_checkpoint

EMBEDDINGS = "model.shared.weight"


def read_adapter_config(folder: Path) -> dict[str, Any]:
    """Return the configuration of an adapter.

    Raises:
        MergeError: It is missing or damaged, or the adapter is not LoRA.
    """
    path = folder / ADAPTER_CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        kind = config["peft_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MergeError(
            f"{path}: cannot be read ({error}); expected the folder `adapter` of a train job, or "
            f"another one that PEFT wrote"
        ) from error
    if kind != "LORA":
        raise MergeError(f"{path}: peft_type is {kind!r}, expected 'LORA'")
    return config


def check_adapter(folder: Path, base: Path) -> None:
    """Check that an adapter is one for gloss on this base, before anything is loaded.

    Raises:
        MergeError: The base lacks the code of gloss, the adapter does not train its embedding, or
            its values are not finite.
    """
    tokenizer, config = Tokenizer.load(base), read_adapter_config(folder)
    if not tokenizer.has_language(GLOSS_CODE):
        raise MergeError(
            f"{base}: the base does not know {GLOSS_CODE}, so that its embedding would be random "
            f"numbers; name the base with the code that the adapter was trained on (--base)"
        )
    wanted, trained = tokenizer.language_id(GLOSS_CODE), config.get("trainable_token_indices")
    if trained != [wanted]:
        raise MergeError(
            f"{folder / ADAPTER_CONFIG}: trainable_token_indices is {trained}, expected "
            f"[{wanted}], the row of {GLOSS_CODE} in {base}; an adapter without it leaves the "
            f"code untrained, and one with other rows changes other languages"
        )
    try:
        with safe_open(folder / ADAPTER_WEIGHTS, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no dictionary
                if not torch.isfinite(file.get_tensor(name)).all():
                    raise MergeError(
                        f"{folder / ADAPTER_WEIGHTS}: {name} holds values that are not finite; "
                        f"train again with a lower learning rate, from an earlier state"
                    )
            row = file.get_tensor(ROW_NAME)[0]
    except (OSError, SafetensorError) as error:
        raise MergeError(f"{folder / ADAPTER_WEIGHTS}: cannot be read ({error})") from error
    embeddings = Weights(base).read(EMBEDDINGS)
    if row.shape == embeddings[wanted].shape and torch.equal(row, embeddings[wanted].float()):
        raise MergeError(
            f"{folder / ADAPTER_WEIGHTS}: the row of {GLOSS_CODE} is that of the base, so that it "
            f"was never trained; train with trainable_token_indices=[{wanted}]"
        )


class Weights:
    """The tensors of a checkpoint, read one at a time.

    Attributes:
        names: Of all tensors that are stored.
    """

    def __init__(self, folder: Path) -> None:
        self._file_of: dict[str, Path] = {}
        for path in sorted(folder.glob("*.safetensors")):
            with safe_open(path, "pt") as file:
                self._file_of |= dict.fromkeys(file.keys(), path)
        self.names = frozenset(self._file_of)

    def read(self, name: str) -> Tensor:
        """Return a tensor as it is stored."""
        with safe_open(self._file_of[name], "pt") as file:
            tensor: Tensor = file.get_tensor(name)
        return tensor


def load_with_adapter(base: Path, adapter: Path) -> PeftModel:
    """Load a base with its adapter beside it, float32, in evaluation mode.

    Raises:
        MergeError: The adapter is of a model with other shapes.
    """
    model = MBartForConditionalGeneration.from_pretrained(
        base, dtype=torch.float32, local_files_only=True
    )
    try:
        with peft_called():
            loaded = PeftModel.from_pretrained(model, str(adapter)).eval()
    except (RuntimeError, ValueError, KeyError) as error:
        raise MergeError(
            f"{adapter}: does not fit {base} ({str(error).strip().splitlines()[-1].strip()}); name "
            f"the base that it was trained on (--base)"
        ) from error
    # PEFT passes over names that it does not know, and leaves at nothing what it does not find.
    with safe_open(adapter / ADAPTER_WEIGHTS, "pt") as file:
        stored = set(file.keys())
    used = set(get_peft_model_state_dict(loaded, save_embedding_layers=False))
    if stored != used:
        raise MergeError(
            f"{adapter / ADAPTER_WEIGHTS}: {len(used - stored)} tensors are missing "
            f"({sorted(used - stored)[:2]}) and {len(stored - used)} have no place in {base} "
            f"({sorted(stored - used)[:2]}); restore the file, or name its base"
        )
    return loaded


def merge(base: Path, adapter: Path, out: Path) -> None:
    """Write the merged model, float32.

    Args:
        base: The checkpoint that the adapter was trained on.
        adapter: The adapter.
        out: The folder to write.
    """
    model = load_with_adapter(base, adapter).merge_and_unload(safe_merge=True)
    save_checkpoint(model, Tokenizer.load(base).backend, out)
