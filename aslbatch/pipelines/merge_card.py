"""The model card of a merged model: what it is, from what, how good, and what it is not."""

from collections.abc import Iterator, Mapping
from typing import Any

_HEAD = """\
---
language: [en, ase]
base_model: {base}
pipeline_tag: translation
tags: [mbart-50, asl-gloss, lora]
---

# English to ASL gloss, and back

An mBART-50 model with the language code `asl_GL`, made with aslbatch by merging a LoRA
adapter into `{base}`.

**Gloss is not ASL**: it loses space, non-manual signals and simultaneity, and there is no standard
of it. What this model gives is machine-made gloss, not reviewed by signers; never use it to
communicate with anybody, and never mix it with authentic gloss without a column that tells them
apart.

## Use

    from transformers import MBart50Tokenizer, MBartForConditionalGeneration

    tokenizer = MBart50Tokenizer.from_pretrained(folder)
    model = MBartForConditionalGeneration.from_pretrained(folder)
    tokenizer.src_lang = "en_XX"  # or "asl_GL": set after loading, which knows only built-in codes
    target = tokenizer.convert_tokens_to_ids("asl_GL")  # or "en_XX"
    inputs = tokenizer("The store is closed.", return_tensors="pt")
    output = model.generate(**inputs, forced_bos_token_id=target, num_beams=4, max_length=128)
    tokenizer.batch_decode(output, skip_special_tokens=True)

In bulk: `aslbatch translate` with `model.name` set to this folder.
"""
_RECIPE = ("method", "training")


def merge_card(
    record: Mapping[str, Any], training: Mapping[str, Any] | None, scores: str | None
) -> str:
    """Return the card as Markdown with Hugging Face front matter.

    Args:
        record: What `merge.json` says.
        training: What the train job recorded, where it did.
        scores: The card section of a score job.
    """
    lines = [
        _HEAD.format(base=record["base"]["name"]),
        *_training_section(training),
        scores or "## Evaluation\n\nNot measured: `aslbatch score`, then merge with `--scores`.\n",
        *_gate_section(record),
    ]
    return "\n".join(lines)


def _training_section(training: Mapping[str, Any] | None) -> Iterator[str]:
    yield "## Training\n"
    if training is None:
        yield "The adapter came without a record of its training.\n"
        return
    config, steps = training["config"], training["steps"]
    yield f"{steps['taken']:,} of {steps['planned']:,} steps; state of step {steps['best']:,}.\n"
    yield "| data | license | pairs | examples | times an epoch | tagged |"
    yield "|---|---|---:|---:|---:|---:|"
    for data in training["data"]:
        yield (
            f"| {', '.join(f'`{path}`' for path in data['paths'])} | "
            f"{data['license'] or 'not said'} | {data['pairs']:,} | "
            f"{data['examples']:,} | {data['times']:g} | {data['tagged']:,} |"
        )
    yield ""
    for section in _RECIPE:
        values = ", ".join(f"{k} {v}" for k, v in config[section].items() if v is not None)
        yield f"* {section}: {values}"
    if best := training["measured"]["best"]:
        values = ", ".join(f"{k} {v:.1f}" for k, v in best.items() if k != "step")
        yield f"* validation while it trained, {training['measured']['score']}: {values}"
    yield f"* run `{training['run_id']}`, aslbatch {training['aslbatch']}\n"


def _gate_section(record: Mapping[str, Any]) -> Iterator[str]:
    gate, adapter, base = record["gate"], record["adapter"], record["base"]
    yield "## Merging\n"
    revision = base["revision"] or "none"
    yield f"* base `{base['name']}`, revision `{revision}`, sha256 `{base['sha256']}`"
    yield f"* adapter r {adapter['r']}, alpha {adapter['lora_alpha']}, sha256 `{adapter['sha256']}`"
    yield (
        f"* {gate['probes']} probes of both directions: logits within "
        f"{gate['max_logit_difference']:.1e} of base plus adapter (limit {gate['logit_limit']:g}), "
        f"{gate['identical_translations']} translations identical with 4 beams"
    )
    yield (
        f"* {gate['rows_compared']:,} rows of the embeddings and {gate['tensors_compared']:,} "
        f"other tensors are bit for bit the base's; all embeddings are tied"
    )
    yield f"* stored as {record['precision']}, after the checks"
    yield f"* {', '.join(f'{name} {version}' for name, version in record['versions'].items())}\n"
