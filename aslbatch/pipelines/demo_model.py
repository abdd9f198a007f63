"""Build the model shipped as `demo`: write what it is trained from, take what came out, measure it.

python -m aslbatch.pipelines.demo_model --data out/demo-model
aslbatch train configs/train.demo.yaml
python -m aslbatch.pipelines.demo_model --take out/demo-model/trained --out aslbatch/models/demo
python -m aslbatch.pipelines.demo_model --out aslbatch/models/demo
python -m aslbatch.pipelines.demo_model --corpus configs/sample
"""

import argparse
import json
import logging
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.evaluation.survival import survival_share
from aslbatch.evaluation.token_f1 import corpus_token_f1
from aslbatch.models.decoding import Decoding
from aslbatch.models.loading import load_model
from aslbatch.models.transformers_engine import TransformersEngine
from aslbatch.pipelines.demo_card import render_card
from aslbatch.shards.layout import TRAINED, TRAINING
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE
from aslbatch.training.demo import probes
from aslbatch.training.demo.corpus import write_corpus
from aslbatch.training.demo.grammar import Pair
from aslbatch.training.demo.recipe import training_pairs, write_start
from aslbatch.training.demo.stream import PairStream

_HELD_OUT = 1000
_VALIDATION = 500
_FORWARD, _BACKWARD = 360_000, 240_000
_LAST_STEPS = 100
_LANGUAGES = (ENGLISH_CODE, GLOSS_CODE)
_log = logging.getLogger(__name__)

Measures = dict[str, float | int | list[list[str]]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("aslbatch/models/demo"))
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--data", type=Path, help="write the start and the pairs, nothing else")
    parser.add_argument("--take", type=Path, help="output of the train job, taken before measuring")
    parser.add_argument("--corpus", type=Path, help="write the sample corpus here, nothing else")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.corpus:
        for path in write_corpus(options.corpus, options.seed):
            _log.info("%s: %d bytes", path, path.stat().st_size)
        return
    if options.data:
        write_data(options.data, seed=options.seed)
        return
    training = take(options.take, options.out) if options.take else {}
    write_evaluation(options.out, training)


def write_data(folder: Path, *, seed: int) -> None:
    """Write what the demo model is trained from: a checkpoint, and pairs of its grammar.

    Args:
        folder: Gets `start`, `forward.parquet`, `backward.parquet` and `validation.parquet`.
        seed: Decides all of it.
    """
    write_start(folder / "start", seed=seed)
    streams = {
        "forward": training_pairs(_FORWARD, seed=seed, forward=True),
        "backward": training_pairs(_BACKWARD, seed=seed, forward=False),
        "validation": PairStream(seed + 3).held_out(_VALIDATION),
    }
    for name, pairs in streams.items():
        _write_pairs(folder / f"{name}.parquet", pairs)


def _write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    english, gloss = zip(*pairs, strict=True)
    pq.write_table(pa.table({"source": english, "target": gloss}), path, compression="zstd")
    _log.info("%s: %d pairs", path, len(english))


def take(trained: Path, out: Path) -> dict[str, float]:
    """Copy what the train job made, and return facts about it."""
    record = json.loads((trained / TRAINING).read_text(encoding="utf-8"))
    for path in (trained / TRAINED["full"]).iterdir():
        if path.name != TRAINING:
            shutil.copyfile(path, out / path.name)
    last = record["losses"][-_LAST_STEPS:]
    return {
        "training_minutes": round(record["minutes"], 1),
        "final_loss": round(sum(last) / len(last), 4),
        "steps": record["steps"]["taken"],
        "seed": record["config"]["training"]["seed"],
    }


def write_evaluation(out: Path, training: dict[str, float]) -> None:
    """Measure a checkpoint and write `evaluation.json` and the model card beside it.

    Args:
        out: The checkpoint's folder.
        training: Facts about the training; where empty, those of the last evaluation are kept.
    """
    path = out / "evaluation.json"
    if not training and path.exists():
        training = json.loads(path.read_text(encoding="utf-8"))["training"]
    measures = measure(out)
    report = {"training": training, "measures": measures}
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "README.md").write_text(render_card(training, measures), encoding="utf-8")
    for name, value in measures.items():
        if not isinstance(value, list):
            _log.info("%s: %s", name, value)


def measure(folder: Path) -> Measures:
    """Measure a checkpoint, reloaded as float32, with the reference decoding.

    Returns:
        Token-F1 in both directions on held-out sentences, also of free wording; survival of
        unknown words in percent; sample glosses; sizes.
    """
    translate = _Translator(folder)
    stream = PairStream(seed=2**31 - 1)
    plain = stream.held_out(_HELD_OUT)
    varied = stream.held_out(_HELD_OUT, varied=True)
    spelled = stream.with_invented(_HELD_OUT)
    english, gloss = [list(side) for side in zip(*plain, strict=True)]
    known = stream.known_words()
    probe_words = [probes.unknown_words(line, known) for line in probes.LINES]
    probe_glosses = translate(probes.LINES, GLOSS_CODE)
    spelled_glosses = translate([pair.english for pair, _ in spelled], GLOSS_CODE)
    forward, backward = translate(english, GLOSS_CODE), translate(gloss, ENGLISH_CODE)
    loose = translate([pair.english for pair in varied], GLOSS_CODE)
    return {
        "held_out_sentences": _HELD_OUT,
        "token_f1_english_to_gloss": _rounded(corpus_token_f1(forward, gloss)),
        "token_f1_gloss_to_english": _rounded(corpus_token_f1(backward, english)),
        "exact_english_to_gloss": _exact(forward, gloss),
        "exact_gloss_to_english": _exact(backward, english),
        "token_f1_free_wording": _rounded(corpus_token_f1(loose, [p.gloss for p in varied])),
        "copy_baseline_english_to_gloss": _rounded(corpus_token_f1(english, gloss)),
        "copy_baseline_gloss_to_english": _rounded(corpus_token_f1(gloss, english)),
        "survival_in_grammar": _rounded(
            survival_share([words for _, words in spelled], spelled_glosses)
        ),
        "survival_in_grammar_words": sum(len(words) for _, words in spelled),
        "survival_in_free_text": _rounded(survival_share(probe_words, probe_glosses)),
        "survival_in_free_text_words": sum(map(len, probe_words)),
        "empty_glosses_in_free_text": sum(not text for text in probe_glosses),
        "parameters": translate.parameters,
        "vocabulary": translate.vocabulary,
        "weight_bytes": (folder / "model.safetensors").stat().st_size,
        "tokenizer_bytes": sum(path.stat().st_size for path in folder.glob("tokenizer*")),
        "samples": [list(pair) for pair in zip(probes.LINES, probe_glosses, strict=True)],
    }


class _Translator:
    """Translates lists of texts with the reference engine, sorted by length."""

    def __init__(self, folder: Path) -> None:
        loaded = load_model(folder, languages=_LANGUAGES, precision="float32", device="cpu")
        self._engine = TransformersEngine(loaded)
        self._tokenizer = loaded.tokenizer
        self.parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
        self.vocabulary = len(loaded.tokenizer)

    def __call__(self, texts: Sequence[str], target_lang: str) -> list[str]:
        decoding = Decoding()
        source_lang = next(code for code in _LANGUAGES if code != target_lang)
        rows = [
            row.tokens for row in self._tokenizer.encode(texts, source_lang, decoding.max_length)
        ]
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        outputs = [""] * len(rows)
        for first in range(0, len(order), 64):
            chosen = order[first : first + 64]
            found = self._engine.translate(
                [rows[at] for at in chosen], target_lang=target_lang, decoding=decoding
            )
            decoded = self._tokenizer.decode([best[0].tokens for best in found])
            for at, text in zip(chosen, decoded, strict=True):
                outputs[at] = text
        return outputs


def _rounded(value: float) -> float:
    return round(value, 1)


def _exact(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    same = sum(ours == theirs for ours, theirs in zip(hypotheses, references, strict=True))
    return _rounded(100 * same / len(references))


if __name__ == "__main__":
    main()
