"""The full mBART-50 shape on a CPU: one LoRA step, saved, merged behind the gate, reloaded.

    python bench/full_size_training.py [--out bench/results/full_size_training.json] [--smoke]

Weights are random; what is shown is that it works, and how much memory it takes: the peak of this
process and of the conversion for CTranslate2, which is one of its own.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import torch
from full_size import full_size_checkpoint, subtitle_lines
from machine import machine

from aslbatch.models.loading import load_model
from aslbatch.pipelines.merge import merge_adapter
from aslbatch.training.adapter import Adapter
from aslbatch.training.batches import Batches, Portion
from aslbatch.training.examples import Example, Examples
from aslbatch.training.loop import Recipe, Training

RESULTS = Path(__file__).parent / "results" / "full_size_training.json"
LIMIT_GB = 20.0
PIECE_TOKENS = 2_048
LANGUAGES = ("en_XX", "asl_GL")


def main() -> None:
    """Run all of it and write what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="a tiny shape, to try the script")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    base = full_size_checkpoint(smoke=options.smoke)
    stages: list[dict[str, object]] = []
    started = time.monotonic()

    def done(stage: str) -> None:
        own, children = (
            resource.getrusage(who).ru_maxrss * 1024 / 1e9
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        stages.append(
            {
                "stage": stage,
                "seconds": round(time.monotonic() - started, 1),
                "peak_gb": round(own, 2),
                "peak_gb_of_conversion": round(children, 2),
            }
        )
        print(json.dumps(stages[-1]), flush=True)

    with tempfile.TemporaryDirectory() as folder:
        adapter, merged = Path(folder) / "adapter", Path(folder) / "merged"
        losses = one_step(base, adapter)
        done("one LoRA step, saved")
        gate = merge_adapter(str(adapter), str(merged)).gate
        done("merged behind the gate")
        loaded = load_model(merged, languages=LANGUAGES, precision="float32", device="cpu")
        parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
        done("reloaded")
    peak = max(float(str(each["peak_gb"])) for each in stages)
    peak = max(peak, float(str(stages[-1]["peak_gb_of_conversion"])))
    results = {
        "machine": machine(),
        "smoke": options.smoke,
        "parameters": parameters,
        "losses": losses,
        "stages": stages,
        "max_logit_difference": gate.max_logit_difference,
        "identical_translations": f"{gate.identical_translations} of {gate.probes}",
        "peak_gb": peak,
        "limit_gb": LIMIT_GB,
    }
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"{parameters:,} parameters, at most {peak:.1f} GB of {LIMIT_GB:.0f}")


def one_step(base: Path, adapter: Path) -> list[float]:
    """Train one step on 32 lines that look like subtitles, and save the adapter."""
    loaded = load_model(base, languages=LANGUAGES, precision="float32", device="cpu")
    tokenizer = loaded.tokenizer
    lines = subtitle_lines(64, 3, tokenizer)[:32]
    code = tokenizer.language_id("asl_GL")
    examples = Examples([Example(line, [code, *line[1:]]) for line in lines])
    learner = Adapter(
        loaded.model, base=str(base), token_id=code, rank=16, alpha=32, dropout=0.1, seed=1
    )
    batches = Batches(examples.lengths, [Portion(0, len(examples), 1.0)], max_tokens=16_384)
    training = Training(
        learner, examples, batches, Recipe(steps=1, learning_rate=5e-4, piece_tokens=PIECE_TOKENS)
    )
    training.run(1)
    learner.save(adapter)
    return training.losses


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
