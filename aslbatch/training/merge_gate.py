"""The gate that a merged model has to pass: it is base plus adapter, and nothing else.

What goes wrong in merging goes wrong silently (peft #1035, #2502; transformers #45127): so files
are compared with files, and the model is loaded as its users will load it.
"""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import MBart50Tokenizer, MBartForConditionalGeneration

from aslbatch.errors import MergeError, ModelError
from aslbatch.models.decoding import Decoding
from aslbatch.models.loading import LoadedModel, load_model
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.models.transformers_engine import TransformersEngine
from aslbatch.text.languages import GLOSS_CODE
from aslbatch.training.adapter import TARGETS
from aslbatch.training.examples import collate, encode_pairs
from aslbatch.training.merge import EMBEDDINGS, Weights, load_with_adapter

_LOGIT_LIMIT = 2e-3
"""Of float32: 5e-5 to 5e-4 was seen, from the order of sums alone; a wrong scale gives over 0.1."""
DECODING = Decoding(max_length=64)
"""How probes are translated: with the beams that jobs have."""
_TIED = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")


@dataclass(frozen=True, slots=True)
class Probe:
    """Sentences of one direction that both models read.

    Attributes:
        source_lang: mBART-50 code.
        target_lang: mBART-50 code.
        sources: Texts.
        targets: Texts after which the next token is compared; any will do.
    """

    source_lang: str
    target_lang: str
    sources: Sequence[str]
    targets: Sequence[str]


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate found.

    Attributes:
        max_logit_difference: Largest over all probes.
        logit_limit: What it may be.
        probes: Sentences compared, of both directions.
        identical_translations: Of them, with 4 beams: all.
        rows_compared: Rows of the embeddings that are bit for bit those of the base.
        tensors_compared: Other tensors that no adapter changes, likewise.
    """

    max_logit_difference: float
    logit_limit: float
    probes: int
    identical_translations: int
    rows_compared: int
    tensors_compared: int


@dataclass(frozen=True, slots=True)
class Searched:
    """A sentence that the merged model has translated.

    Attributes:
        source: Its tokens.
        target_lang: mBART-50 code.
        tokens: Of the translation.
    """

    source: list[int]
    target_lang: str
    tokens: list[int]


def check_merged(
    merged: Path, base: Path, adapter: Path, probes: Sequence[Probe]
) -> tuple[GateReport, list[Searched]]:
    """Check a merged model, float32, against its base and adapter.

    Returns:
        What was found, and the translations of all probes, in their order.

    Raises:
        MergeError: It is not the two together; the message says in what.
    """
    check_tokenizer(merged, base, probes)
    rows, tensors = check_untouched(merged, base)
    wanted = _found(load_with_adapter(base, adapter), Tokenizer.load(base), probes)
    gc.collect()  # one model in memory at a time
    found = _found(*_load(merged), probes)
    worst = max(
        float((ours - theirs).abs().max())
        for ours, theirs in zip(found.logits, wanted.logits, strict=True)
    )
    if not worst <= _LOGIT_LIMIT:
        raise MergeError(
            f"{merged}: logits differ from base plus adapter by up to {worst:.3g}, the limit is "
            f"{_LOGIT_LIMIT:g}: it was merged with another scale (lora_alpha, r), from another "
            f"adapter, or twice; merge again from {base} and {adapter}"
        )
    same = [a == b for a, b in zip(found.translations, wanted.translations, strict=True)]
    if not all(same):
        first = same.index(False)
        raise MergeError(
            f"{merged}: {same.count(False)} of {len(same)} probes are translated otherwise than by "
            f"base plus adapter, such as {wanted.translations[first].tokens!r} now "
            f"{found.translations[first].tokens!r}"
        )
    report = GateReport(worst, _LOGIT_LIMIT, len(same), sum(same), rows, tensors)
    return report, found.translations


def check_tokenizer(merged: Path, base: Path, probes: Sequence[Probe]) -> None:
    """Check that the tokenizer is the base's, and that the code of gloss is one special token."""
    ours, theirs = Tokenizer.load(merged), Tokenizer.load(base)
    if ours.pieces != theirs.pieces:
        raise MergeError(
            f"{merged}: its tokenizer has {len(ours)} pieces that are not the {len(theirs)} of "
            f"{base} in their order; copy the base's tokenizer"
        )
    plain = MBart50Tokenizer.from_pretrained(merged, local_files_only=True)
    plain.src_lang = GLOSS_CODE
    text = probes[0].sources[0]
    ids = plain(text)["input_ids"]
    if ids[0] != theirs.language_id(GLOSS_CODE) or ids[-1] != theirs.eos_id:
        raise MergeError(f"{merged}: {text!r} as {GLOSS_CODE} begins with token {ids[0]}")
    if GLOSS_CODE in plain.decode(ids, skip_special_tokens=True):
        raise MergeError(
            f"{merged}: {GLOSS_CODE} stands in decoded text; add it as a special token, with "
            f"extra_special_tokens"
        )


def check_untouched(merged: Path, base: Path) -> tuple[int, int]:
    """Check that all that no adapter changes is the base's, bit for bit, and that ties hold.

    Returns:
        Rows of the embeddings, and other tensors, that were compared.
    """
    new_row = Tokenizer.load(base).language_id(GLOSS_CODE)
    files, compared = Weights(merged), 0
    if separate := sorted(set(_TIED) & files.names):
        raise MergeError(
            f"{merged}: {', '.join(separate)} are stored by themselves, so that they are no longer "
            f"tied to {EMBEDDINGS}; set tie_word_embeddings in config.json, call tie_weights() "
            f"and save again"
        )
    originals = Weights(base)
    for name in sorted(originals.names - set(_TIED)):
        if name not in files.names:
            raise MergeError(f"{merged}: {name} is missing")
        ours, theirs = files.read(name), originals.read(name).float()
        if name == EMBEDDINGS:
            touched = (ours != theirs).any(dim=1).nonzero().flatten().tolist()
            if others := [row for row in touched if row != new_row]:
                raise MergeError(
                    f"{merged}: {len(others)} rows of the embeddings differ from {base}, such as "
                    f"row {others[0]}; only row {new_row}, {GLOSS_CODE}, may: other languages "
                    f"would suffer"
                )
            rows = len(ours) - 1
        elif not _is_target(name):
            if not torch.equal(ours, theirs):
                raise MergeError(f"{merged}: {name} differs from {base}, and no adapter changes it")
            compared += 1
    return rows, compared


@dataclass(frozen=True, slots=True)
class _Found:
    logits: list[Tensor]
    translations: list[Searched]


def _is_target(name: str) -> bool:
    layer, _, kind = name.rpartition(".")
    return kind == "weight" and layer.rpartition(".")[2] in TARGETS


def _load(merged: Path) -> tuple[MBartForConditionalGeneration, Tokenizer]:
    """Load the merged model as its users do, and check its ties."""
    try:
        loaded = load_model(merged, languages=(GLOSS_CODE,), precision="float32", device="cpu")
    except ModelError as error:
        raise MergeError(error.message) from error
    return loaded.model, loaded.tokenizer


@torch.inference_mode()
def _found(model: Any, tokenizer: Tokenizer, probes: Sequence[Probe]) -> _Found:  # noqa: ANN401
    """Return logits and translations of all probes, by a model with an adapter or without."""
    logits, translations = [], []
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    engine = TransformersEngine(LoadedModel(plain, tokenizer))
    for probe in probes:
        pairs = encode_pairs(
            tokenizer,
            probe.sources,
            probe.targets,
            source_lang=probe.source_lang,
            target_lang=probe.target_lang,
            max_length=DECODING.max_length,
        )
        for batch in map(collate, _in_turn(pairs)):
            output = model(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                decoder_input_ids=batch.decoder_input_ids,
            )
            logits.append(output.logits)
        sources = [pair.source for pair in pairs]
        found = engine.translate(sources, target_lang=probe.target_lang, decoding=DECODING)
        translations += [
            Searched(source, probe.target_lang, best[0].tokens)
            for source, best in zip(sources, found, strict=True)
        ]
    return _Found(logits, translations)


def _in_turn(values: Sequence[Any], size: int = 4) -> Iterator[Sequence[Any]]:
    """Yield a few at a time: logits over a large vocabulary are large."""
    return (values[start : start + size] for start in range(0, len(values), size))
