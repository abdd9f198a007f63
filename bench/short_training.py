"""Train a model on some examples, for benchmarks that need one whose targets end by themselves."""

from collections.abc import Callable, Iterable

from transformers import MBartForConditionalGeneration

from aslbatch.training.batches import Batches, Portion
from aslbatch.training.examples import Example, Examples
from aslbatch.training.learner import WholeModel
from aslbatch.training.loop import Recipe, Training


def train(
    model: MBartForConditionalGeneration,
    examples: Iterable[Example],
    *,
    steps: int,
    max_tokens: int,
    learning_rate: float,
    warmup_steps: int = 200,
    seed: int = 13,
    report: Callable[[int, float], None] | None = None,
) -> None:
    """Train all parameters in place, on batches of so many padded tokens."""
    found = Examples(examples)
    batches = Batches(
        found.lengths, [Portion(0, len(found), 1.0)], max_tokens=max_tokens, seed=seed
    )
    recipe = Recipe(
        steps=steps,
        learning_rate=learning_rate,
        warmup_steps=warmup_steps,
        weight_decay=0.01,
        beta2=0.98,
        piece_tokens=max_tokens,
        seed=seed,
    )
    training = Training(WholeModel(model), found, batches, recipe)
    for step in range(1, steps + 1):
        training.run(step)
        if report is not None:
            report(step, training.losses[-1])
    model.eval()
