"""Merge an adapter into a model that everything takes, behind a gate: `aslbatch merge`.

    check the adapter -> merge -> gate -> convert and compare -> card -> move into place

What the gate refuses is never seen in the output folder.
"""

import json
import random
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import peft
import torch
import transformers

import aslbatch
from aslbatch.errors import MergeError, SinkError
from aslbatch.models.checkpoint import Checkpoint, find_checkpoint
from aslbatch.models.loading import load_model
from aslbatch.pipelines.merge_card import merge_card
from aslbatch.pipelines.score_card import SCORE_CARD, SCORES
from aslbatch.provenance.hashing import sha256_file
from aslbatch.shards.layout import TRAINING
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE
from aslbatch.training.adapter import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from aslbatch.training.demo.grammar import Grammar
from aslbatch.training.demo.probes import LINES
from aslbatch.training.merge import (
    check_adapter,
    merge,
    read_adapter_config,
)
from aslbatch.training.merge_conversion import check_conversion
from aslbatch.training.merge_gate import GateReport, Probe, check_merged
from aslbatch.training.saving import save_checkpoint

MERGE = "merge.json"
_PROBES = 12
_CONVERTED = 4

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged model.

    Attributes:
        folder: Where it lies.
        gate: What the gate found.
        precision: Number format of its weights.
    """

    folder: str
    gate: GateReport
    precision: Precision


def merge_adapter(
    adapter: str,
    out: str,
    *,
    base: str | None = None,
    scores: str | None = None,
    precision: Precision = "float32",
    overwrite: bool = False,
) -> Merged:
    """Merge an adapter, check the result, and write it with its card.

    Args:
        adapter: The adapter's folder, as the train job or PEFT writes it.
        out: The folder of the merged model.
        base: The base; None for the one that the adapter names.
        scores: Output of a score job of this model, for the card.
        precision: Number format of the weights; the gate looks at float32, before rounding.
        overwrite: Replace what is in `out`.

    Raises:
        MergeError: The adapter is unfit, or the gate refuses the merged model; nothing is written.
        SinkError: `out` is not empty.
    """
    transformers.utils.logging.disable_progress_bar()
    adapter_folder, target = Path(adapter), Path(out)
    _check_place(target, overwrite=overwrite)
    training = _training(adapter_folder)
    checkpoint = _base(adapter_folder, base, training)
    check_adapter(adapter_folder, checkpoint.folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        merged = Path(scratch) / "merged"
        merge(checkpoint.folder, adapter_folder, merged)
        gate, searched = check_merged(merged, checkpoint.folder, adapter_folder, _probes())
        converted = Path(scratch) / "converted" / "float32"
        check_conversion(merged, converted, searched[:_CONVERTED])
        if precision != "float32":
            _round(merged, getattr(torch, precision))
        card_of_scores = _scores(scores, find_checkpoint(str(merged)).sha256) if scores else None
        record = _record(adapter_folder, checkpoint, gate, precision)
        (merged / MERGE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        card = merge_card(record, training, card_of_scores)
        (merged / "README.md").write_text(card, encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "before")
        merged.rename(target)
    return Merged(out, gate, precision)


def _check_place(target: Path, *, overwrite: bool) -> None:
    """Refuse a place that holds anything but an earlier merge that may be replaced."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / MERGE).is_file():
        raise SinkError(f"{target} holds something else than a merged model; name another folder")
    if not overwrite:
        raise SinkError(f"{target} is not empty; name another folder, or replace it, --overwrite")


def _base(adapter: Path, wanted: str | None, training: dict[str, Any] | None) -> Checkpoint:
    """Return the base, which must be the one that the adapter was trained on.

    Args:
        adapter: The adapter's folder.
        wanted: The base to use; None for the one that the adapter names.
        training: What the train job recorded, where it did.
    """
    config = read_adapter_config(adapter)
    named = config.get("base_model_name_or_path")
    if not (name := wanted or named):
        raise MergeError(f"{adapter}: {ADAPTER_CONFIG} names no base; name it with --base")
    checkpoint = find_checkpoint(name, revision=config.get("revision") if name == named else None)
    trained = (training or {}).get("base")
    if trained and trained["sha256"] != checkpoint.sha256:
        raise MergeError(
            f"{name}: the fingerprint of configuration, tokenizer and weights is "
            f"{checkpoint.sha256}, but {adapter / TRAINING} says that the adapter was trained on "
            f"{trained['name']}, which was {trained['sha256']}; name that one, or a copy of all "
            f"its files, with --base"
        )
    return checkpoint


def _probes() -> list[Probe]:
    """Return invented sentences of both directions."""
    grammar = Grammar(random.Random(1))
    english, gloss = ENGLISH_CODE, GLOSS_CODE
    lines = LINES[:_PROBES]
    glosses = [grammar.sentence().gloss for _ in lines]
    return [Probe(english, gloss, lines, glosses), Probe(gloss, english, glosses, lines)]


def _round(folder: Path, dtype: torch.dtype) -> None:
    """Store the weights in another number format."""
    loaded = load_model(folder, languages=(GLOSS_CODE,), precision="float32", device="cpu")
    save_checkpoint(loaded.model, loaded.tokenizer.backend, folder, dtype=dtype)


def _scores(folder: str, sha256: str) -> str:
    """Return the card section of a score job, which must have scored this very model."""
    try:
        scores = json.loads((Path(folder) / SCORES).read_text(encoding="utf-8"))
        scored = {
            fingerprint
            for direction in scores.values()
            for fingerprint in direction.get("provenance", {}).get("model_sha256", ())
        }
        card = (Path(folder) / SCORE_CARD).read_text(encoding="utf-8")
    except (OSError, ValueError, AttributeError) as error:
        raise MergeError(
            f"{folder}: cannot be read ({error}); expected the output of a score job"
        ) from error
    if scored != {sha256}:
        raise MergeError(
            f"{folder}: scores of {', '.join(sorted(scored)) or 'no model'}, but the merged model "
            f"is {sha256}; score what this merge writes without --scores, then merge again"
        )
    return card


def _training(adapter: Path) -> dict[str, Any] | None:
    """Return what the train job recorded beside the adapter."""
    path = adapter / TRAINING
    if not path.exists():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MergeError(f"{path} is damaged ({error}); restore or delete it") from error
    return record


def _record(
    adapter: Path, checkpoint: Checkpoint, gate: GateReport, precision: Precision
) -> dict[str, Any]:
    config = read_adapter_config(adapter)
    return {
        "base": checkpoint.identity,
        "adapter": {
            "sha256": sha256_file(adapter / ADAPTER_WEIGHTS),
            **{key: config.get(key) for key in ("r", "lora_alpha", "lora_dropout")},
            "target_modules": sorted(config.get("target_modules") or ()),
        },
        "gate": asdict(gate),
        "precision": precision,
        "versions": {
            "aslbatch": aslbatch.__version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
        },
    }
