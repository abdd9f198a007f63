"""What each engine can do, and which of them runs a checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslbatch.errors import ModelError
from aslbatch.models.decoding import Decoding
from aslbatch.models.generation_settings import effective_settings

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do.

    Attributes:
        precisions: Number formats of the weights by device, the one that `auto` takes first.
        sampling: Whether it draws tokens at random, the same for the same seed.
        beam_sampling: Whether it does with more than one beam too.
        no_length_penalty: Whether 0 ends searches when it does in transformers.
        shortlist: Whether it can leave out a part of the vocabulary.
        every_setting: Whether it heeds all that a generation_config.json may say.
    """

    precisions: Mapping[str, tuple[str, ...]]
    sampling: bool
    beam_sampling: bool
    no_length_penalty: bool
    shortlist: bool
    every_setting: bool


CAPABILITIES = {
    "ctranslate2": Capabilities(
        precisions={
            "cpu": ("int8", "float32"),
            "cuda": ("float16", "bfloat16", "int8", "float32"),
        },
        sampling=False,
        beam_sampling=False,
        no_length_penalty=False,
        shortlist=True,
        every_setting=False,
    ),
    "cuda": Capabilities(
        precisions={
            "cpu": ("float32", "bfloat16"),
            "cuda": ("bfloat16", "float32"),
        },
        sampling=True,
        beam_sampling=False,
        no_length_penalty=True,
        shortlist=True,
        every_setting=False,
    ),
    "transformers": Capabilities(
        precisions={
            "cpu": ("float32", "bfloat16", "float16"),
            "cuda": ("bfloat16", "float16", "float32"),
        },
        sampling=True,
        beam_sampling=True,
        no_length_penalty=True,
        shortlist=False,
        every_setting=True,
    ),
}
_PREFERRED = {
    "cpu": ("ctranslate2", "transformers"),
    "cuda": ("transformers", "ctranslate2", "cuda"),
}
"""What `auto` tries first, by device; `cuda` comes last until it has been measured on a GPU."""


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
    shortlist: str = AUTO,
    device: str,
    decoding: Decoding,
) -> Choice:
    """Return what runs a checkpoint; `auto` takes the fastest engine that can do what is asked.

    Args:
        folder: The checkpoint's folder, whose generation settings count too.
        engine: `auto`, or a key of `CAPABILITIES`.
        precision: `auto`, or a number format.
        shortlist: As a job asks for it; with `auto` and `off` an engine need not know of any.
        device: `cpu` or `cuda`.
        decoding: How to search.

    Raises:
        ModelError: The engine cannot do what is asked, or none can.
    """
    settings = effective_settings(folder)
    reasons = []
    for name in _PREFERRED[device] if engine == AUTO else (engine,):
        can = CAPABILITIES[name]
        obstacles = (
            _of_precision(can, precision, device),
            _of_search(can, decoding, settings),
            "has no shortlist; set model.shortlist to auto or off"
            if shortlist not in (AUTO, "off") and not can.shortlist
            else None,
        )
        reason = next(filter(None, obstacles), None)
        if reason is None:
            chosen = can.precisions[device][0] if precision == AUTO else precision
            return Choice(name, chosen, device)
        reasons.append(f"model.engine {name} {reason}")
    raise ModelError("; ".join(reasons))


def _of_precision(can: Capabilities, precision: str, device: str) -> str | None:
    if precision in (AUTO, *can.precisions[device]):
        return None
    known = ", ".join(can.precisions[device])
    return f"has no model.precision {precision} on {device}; it has {known}"


def _of_search(can: Capabilities, decoding: Decoding, settings: Mapping[str, Any]) -> str | None:
    if decoding.do_sample and not can.sampling:
        return "does not sample; set model.engine to transformers, or decoding.do_sample to false"
    if decoding.do_sample and decoding.num_beams > 1 and not can.beam_sampling:
        return "samples with decoding.num_beams 1 only; set that, or model.engine to transformers"
    if decoding.num_beams > 1 and decoding.length_penalty == 0 and not can.no_length_penalty:
        return "ends searches otherwise where decoding.length_penalty is 0; set model.engine"
    if can.every_setting:
        return None
    for key, value in settings.items():
        return (
            f"does not know {key} = {value!r} of the checkpoint's generation settings as "
            f"transformers does; set model.engine to transformers"
        )
    return None
