"""What each engine can do, and which of them runs a checkpoint."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslbatch.errors import ModelError
from aslbatch.models.decoding import Decoding

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do.

    Attributes:
        precisions: Number formats of the weights by device, the one that `auto` takes first.
        sampling: Whether it draws tokens at random, the same for the same seed.
        shortlist: Whether it can leave out a part of the vocabulary.
        ignored: Settings of generation_config.json that it does not know, or not with the meaning
            that transformers gives them, each with the test of a value that does nothing.
    """

    precisions: Mapping[str, tuple[str, ...]]
    sampling: bool
    shortlist: bool
    ignored: Mapping[str, Callable[[Any], bool]]


CAPABILITIES = {
    "ctranslate2": Capabilities(
        precisions={
            "cpu": ("int8", "float32"),
            "cuda": ("float16", "bfloat16", "int8", "float32"),
        },
        sampling=False,
        shortlist=True,
        ignored={
            "early_stopping": lambda value: value in (None, True),
            "no_repeat_ngram_size": lambda value: not value,
            "encoder_no_repeat_ngram_size": lambda value: not value,
            "min_length": lambda value: not value,
            "min_new_tokens": lambda value: not value,
            "repetition_penalty": lambda value: value in (None, 1.0),
            "bad_words_ids": lambda value: not value,
            "suppress_tokens": lambda value: not value,
            "begin_suppress_tokens": lambda value: not value,
            "sequence_bias": lambda value: not value,
            "num_beam_groups": lambda value: value in (None, 1),
        },
    ),
    "transformers": Capabilities(
        precisions={
            "cpu": ("float32", "bfloat16", "float16"),
            "cuda": ("bfloat16", "float16", "float32"),
        },
        sampling=True,
        shortlist=False,
        ignored={},
    ),
}
_PREFERRED = {"cpu": ("ctranslate2", "transformers"), "cuda": ("transformers", "ctranslate2")}


@dataclass(frozen=True, slots=True)
class Choice:
    """What runs a checkpoint.

    Attributes:
        engine: A key of `CAPABILITIES`.
        precision: Number format of the weights.
        device: `cpu` or `cuda`.
    """

    engine: str
    precision: str
    device: str


def choose_engine(
    folder: Path,
    *,
    engine: str = AUTO,
    precision: str = AUTO,
    device: str,
    decoding: Decoding,
) -> Choice:
    """Return what runs a checkpoint; `auto` takes the fastest engine that can do what is asked.

    Args:
        folder: The checkpoint's folder, whose generation_config.json counts too.
        engine: `auto`, or a key of `CAPABILITIES`.
        precision: `auto`, or a number format.
        device: `cpu` or `cuda`.
        decoding: How to search.

    Raises:
        ModelError: The engine cannot do what is asked, or none can.
    """
    names = _PREFERRED[device] if engine == AUTO else (engine,)
    reasons = []
    for name in names:
        reason = _obstacle(name, precision, device, decoding, folder)
        if reason is None:
            chosen = CAPABILITIES[name].precisions[device][0] if precision == AUTO else precision
            return Choice(name, chosen, device)
        reasons.append(f"model.engine {name} {reason}")
    raise ModelError("; ".join(reasons))


def _obstacle(
    name: str, precision: str, device: str, decoding: Decoding, folder: Path
) -> str | None:
    """Return why an engine cannot do what is asked, None where it can."""
    can = CAPABILITIES[name]
    if precision != AUTO and precision not in can.precisions[device]:
        return (
            f"has no model.precision {precision} on {device}; it has "
            f"{', '.join(can.precisions[device])}"
        )
    if decoding.do_sample and not can.sampling:
        return "does not sample; set model.engine to transformers, or decoding.do_sample to false"
    for key, does_nothing in can.ignored.items():
        value = _generation_config(folder).get(key)
        if not does_nothing(value):
            return (
                f"does not know {key} = {value!r} of the checkpoint's generation_config.json as "
                f"transformers does; set model.engine to transformers"
            )
    return None


def _generation_config(folder: Path) -> dict[str, Any]:
    path = folder / "generation_config.json"
    if not path.exists():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: not JSON ({error}); restore it") from error
    return settings if isinstance(settings, dict) else {}
