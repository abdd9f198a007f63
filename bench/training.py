"""LoRA training against the Hugging Face Trainer: the same batches, the same recipe, in one run.

    python bench/training.py [--out bench/results/training.json]
    python bench/training.py --smoke     # tiny shapes; its numbers mean nothing

On an accelerator the full mBART-50 shape in bfloat16, else a narrow one with the whole vocabulary,
in float32: there ratios count, not times. Both train the same adapter and the one row of `asl_GL`,
PEFT's way in the Trainer. The two run in turns, since a machine that others use drifts in speed.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from gpu_floor import measured_rates, synchronize
from machine import machine
from peft import LoraConfig, get_peft_model
from torch.utils.data import SequentialSampler
from transformers import (
    MBartForConditionalGeneration,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)

from aslbatch.training.adapter import TARGETS, Adapter
from aslbatch.training.batches import Batches
from aslbatch.training.examples import Example, Examples, collate
from aslbatch.training.loop import Recipe, Training
from aslbatch.training.new_model import new_model
from aslbatch.training.quiet import peft_called

RESULTS = Path(__file__).parent / "results" / "training.json"
VOCABULARY = 250_055
FULL = {"d_model": 1_024, "layers": 12, "heads": 16, "ffn_dim": 4_096}
NARROW = {"d_model": 256, "layers": 4, "heads": 4, "ffn_dim": 1_024}
SMOKE = {"d_model": 32, "layers": 1, "heads": 2, "ffn_dim": 64}
LORA = {"rank": 16, "alpha": 32, "dropout": 0.1}
RATE = 5e-4
WARM_UP = 3


class InOrder(Batches):
    """The examples in their order, so many a step: what the Trainer is given, too."""

    def __init__(self, size: int) -> None:
        self._size = size

    def at(self, step: int) -> np.ndarray:
        """See `Batches`."""
        return np.arange(step * self._size, (step + 1) * self._size)


def examples_of(count: int, size: int, vocabulary: int) -> list[Example]:
    """Return examples with lengths like those of subtitles, like ones together, steps shuffled."""
    rng = random.Random(4)
    lengths = sorted(max(2, min(60, round(rng.lognormvariate(2.5, 0.6)))) for _ in range(count))
    groups = [lengths[start : start + size] for start in range(0, count, size)]
    rng.shuffle(groups)
    return [
        Example(
            [4, *(rng.randrange(60, vocabulary) for _ in range(length)), 2],
            [5, *(rng.randrange(60, vocabulary) for _ in range(max(2, round(0.8 * length)))), 2],
        )
        for group in groups
        for length in group
    ]


def flops(shape: dict[str, int], vocabulary: int, batches: list[list[Example]]) -> float:
    """Return the operations that LoRA training needs for batches without their padding.

    Two a weight and token forward, and two more for the gradients of activations; frozen weights
    need no gradients, and what adapters and attention add is left out.
    """
    d, ffn, layers = shape["d_model"], shape["ffn_dim"], shape["layers"]
    encoder, decoder, cross = 4 * d * d + 2 * d * ffn, 6 * d * d + 2 * d * ffn, 2 * d * d
    total = 0
    for batch in batches:
        sources = sum(len(each.source) for each in batch)
        targets = sum(len(each.target) for each in batch)
        total += (
            layers * (sources * (encoder + cross) + targets * decoder) + targets * d * vocabulary
        )
    return 4.0 * total


def ours(
    model: MBartForConditionalGeneration, rows: list[Example], size: int, steps: int, bf16: bool
) -> list[float]:
    """Return the seconds of each step."""
    adapter = Adapter(model, base="", token_id=len_of(model) - 1, seed=1, **LORA)
    recipe = Recipe(steps, RATE, piece_tokens=1 << 20, precision="bfloat16" if bf16 else "float32")
    training = Training(adapter, Examples(rows), InOrder(size), recipe)
    times: list[float] = []
    for step in range(1, steps + 1):
        began = time.perf_counter()
        training.run(step)
        synchronize(model.device.type)
        times.append(time.perf_counter() - began)
    return times


class Clock(TrainerCallback):
    """Takes the time of each step of the Trainer."""

    def __init__(self, device: str) -> None:
        self.times: list[float] = []
        self._device, self._began = device, 0.0

    def on_step_begin(self, *_: object, **__: object) -> None:
        """See `TrainerCallback`; the time between steps counts as well."""
        self._began = self._began or time.perf_counter()

    def on_step_end(self, *_: object, **__: object) -> None:
        """See `TrainerCallback`."""
        synchronize(self._device)
        now = time.perf_counter()
        self.times.append(now - self._began)
        self._began = now


class SequentialTrainer(Seq2SeqTrainer):
    """Takes examples in their order."""

    def _get_train_sampler(self, *_: object) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)


def theirs(
    model: MBartForConditionalGeneration,
    rows: list[Example],
    size: int,
    steps: int,
    bf16: bool,
    folder: Path,
) -> list[float]:
    """Return the seconds of each step of the Trainer with PEFT."""
    config = LoraConfig(
        r=LORA["rank"], lora_alpha=LORA["alpha"], lora_dropout=LORA["dropout"], bias="none",
        task_type="SEQ_2_SEQ_LM", target_modules=list(TARGETS),
        trainable_token_indices=[len_of(model) - 1],
    )  # fmt: skip
    clock = Clock(model.device.type)
    with peft_called():
        trainer = SequentialTrainer(
            model=get_peft_model(model, config),
            args=Seq2SeqTrainingArguments(
                output_dir=str(folder), max_steps=steps, per_device_train_batch_size=size,
                learning_rate=RATE, bf16=bf16, report_to="none", save_strategy="no",
                logging_strategy="no", remove_unused_columns=False, disable_tqdm=True,
                use_cpu=model.device.type == "cpu",
            ),
            train_dataset=rows,
            data_collator=lambda some: collate([Example(*each) for each in some])._asdict(),
            compute_loss_func=summed,
            callbacks=[clock],
        )  # fmt: skip
        trainer.train()
    return clock.times


def summed(
    outputs: object, labels: torch.Tensor, num_items_in_batch: int | None = None
) -> torch.Tensor:
    """Return the mean loss a token, as both compute it."""
    logits = outputs.logits.flatten(0, 1).float()  # type: ignore[attr-defined]
    loss = torch.nn.functional.cross_entropy(logits, labels.flatten(), reduction="sum")
    return loss / (labels != -100).sum()


def len_of(model: MBartForConditionalGeneration) -> int:
    """Return the rows of the embeddings."""
    return int(model.get_input_embeddings().weight.shape[0])


def main() -> None:
    """Measure, print, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="tiny shapes, to try the script")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--batch", type=int, default=32, help="examples a step")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    on_gpu = device == "cuda"
    shape = SMOKE if options.smoke else FULL if on_gpu else NARROW
    vocabulary = 3_000 if options.smoke else VOCABULARY
    steps = options.steps or (6 if options.smoke else 60 if on_gpu else 10)
    torch.set_num_threads(torch.get_num_threads() if on_gpu else 1)
    dtype = torch.bfloat16 if on_gpu else torch.float32
    rows = examples_of(steps * options.batch, options.batch, vocabulary)
    model = new_model(vocabulary, **shape, dropout=0.1)

    def copy() -> MBartForConditionalGeneration:
        made = MBartForConditionalGeneration(model.config)
        made.load_state_dict(model.state_dict())
        return made.to(device=device, dtype=dtype)

    systems: dict[str, Callable[[], list[float]]] = {
        "aslbatch": lambda: ours(copy(), rows, options.batch, steps, on_gpu),
        "Hugging Face Trainer": lambda: theirs(
            copy(), rows, options.batch, steps, on_gpu, options.out.parent
        ),
    }
    batches = [rows[start : start + options.batch] for start in range(0, len(rows), options.batch)]
    counted = batches[WARM_UP:]
    tokens = sum(len(e.source) + len(e.target) for batch in counted for e in batch)
    needed = flops(shape, vocabulary, counted)
    rate = measured_rates(device, dtype, 512 if options.smoke else 8_192 if on_gpu else 2_048).flops
    found: dict[str, list[dict[str, float]]] = {name: [] for name in systems}
    for _ in range(1 if options.smoke else options.rounds):
        for name, run in systems.items():
            if on_gpu:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            spent = sum(run()[WARM_UP:])
            row = {"tokens_per_second": tokens / spent, "utilization": needed / spent / rate}
            if on_gpu:
                row["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
            found[name].append(row)
            print(name, {key: round(value, 4) for key, value in row.items()}, flush=True)
    speeds = {
        name: median(row["tokens_per_second"] for row in each) for name, each in found.items()
    }
    results = {
        "machine": machine(),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu, one thread",
        "smoke": options.smoke,
        "shape": {**shape, "vocabulary": vocabulary},
        "precision": str(dtype).removeprefix("torch."),
        "examples_a_step": options.batch,
        "steps": steps,
        "matmul_flops": rate,
        "rounds": found,
        "ratio": speeds["aslbatch"] / speeds["Hugging Face Trainer"],
    }
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"aslbatch is {results['ratio']:.2f} times as fast")


if __name__ == "__main__":
    main()
