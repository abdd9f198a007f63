"""The model card of the demo model, filled in from its evaluation."""

from collections.abc import Mapping
from string import Template

_CARD = Template("""\
---
license: apache-2.0
language: [en, ase]
pipeline_tag: translation
tags: [mbart-50, asl-gloss, toy-model, synthetic]
---

# aslbatch demo model

A toy that lets every part of aslbatch run with real hypotheses and without a network. It has the
format of an mBART-50 checkpoint (`MBartForConditionalGeneration`, `MBart50Tokenizer`, the language
code `asl_GL` added), and translates between English (`en_XX`) and gloss (`asl_GL`).

**It does not know ASL.** It was trained from scratch on sentences that a small hand-written
grammar of this project invents. Its output is machine-made gloss, not reviewed by signers; no
authentic signing or gloss was used. Gloss itself is not ASL: it loses space, non-manual signals
and simultaneity. Use it to test software, never to communicate with anybody.

## Size

$parameters parameters: 2 + 2 layers, width 192, vocabulary $vocabulary. Weights in float16,
$weight_mb MB; tokenizer $tokenizer_mb MB.

## Measured

By `python -m aslbatch.pipelines.demo_model` (`evaluation.json` has all numbers and the glosses):
the stored weights reloaded as float32, beam 4, max_length 128.

| measure | English to gloss | gloss to English |
|---|---|---|
| token-F1, $held_out_sentences held-out sentences of the grammar | $token_f1_english_to_gloss | \
$token_f1_gloss_to_english |
| exact match | $exact_english_to_gloss | $exact_gloss_to_english |
| token-F1 of copying the input | $copy_baseline_english_to_gloss | \
$copy_baseline_gloss_to_english |
| token-F1, held-out sentences of freer wording | $token_f1_free_wording | |

Words that it has never seen come through unharmed (as one token, in capitals, with or without
`#`) in $survival_in_grammar % of $survival_in_grammar_words cases in sentences of the grammar, and
in $survival_in_free_text % of $survival_in_free_text_words cases in hand-written lines in the
manner of subtitles. These numbers say how well it learned its own grammar, nothing about ASL.

| English | gloss |
|---|---|
$samples

## Recipe

Seed $seed, $steps steps of AdamW (peak learning rate 2e-3, linear decay) on batches of 2,560
padded tokens of the grammar's pairs, $training_minutes minutes on two shared CPU cores; final loss
$final_loss nats a token. The vocabulary holds each piece in every case, so that `Dolores` and
`#DOLORES` are cut at the same places and spelling is a one-to-one map. Built again by
`make demo-model`, which is

    python -m aslbatch.pipelines.demo_model --data out/demo-model --seed $seed
    aslbatch train configs/train.demo.yaml
    python -m aslbatch.pipelines.demo_model --take out/demo-model/trained --out aslbatch/models/demo
""")


def render_card(training: Mapping[str, object], measures: Mapping[str, object]) -> str:
    """Return the card as Markdown with Hugging Face front matter.

    Args:
        training: `seed`, `steps`, `training_minutes`, `final_loss`; unknown where absent.
        measures: What `aslbatch.pipelines.demo_model.measure` returns.
    """
    facts = dict.fromkeys(("seed", "steps", "training_minutes", "final_loss"), "unknown")
    values = {**facts, **training, **measures}
    values["parameters"] = f"{int(str(measures['parameters'])):,}"
    for part in ("weight", "tokenizer"):
        values[f"{part}_mb"] = f"{int(str(measures[f'{part}_bytes'])) / 1e6:.1f}"
    samples = measures["samples"]
    rows = samples[::8] if isinstance(samples, list) else []
    values["samples"] = "\n".join(f"| {english} | `{gloss}` |" for english, gloss in rows)
    return _CARD.substitute(values)
