"""The training loop, for all that is trained: step after step, on one worker or many.

The state after a step is a function of the state before it and of the number of the step: it
decides the batch, and what dropout drops. So a training that was killed and resumed, or moved to
another number of workers, sees what an undisturbed one would have seen.
"""

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from aslbatch.errors import QualityAlarmError
from aslbatch.training.batches import Batches, pieces
from aslbatch.training.examples import Batch, Examples
from aslbatch.training.learner import Learner
from aslbatch.training.world import World


@dataclass(frozen=True, slots=True)
class Recipe:
    """How weights are changed.

    Attributes:
        steps: Optimizer steps in all.
        learning_rate: At its peak.
        schedule: How it falls after the peak, to 0.
        warmup_steps: Steps until the peak.
        weight_decay: Of AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101).
        beta2: Of AdamW; beta1 is 0.9.
        max_grad_norm: Gradients are scaled down to this norm.
        piece_tokens: Most padded tokens that go through the model at once.
        precision: `bfloat16` multiplies in that; weights and sums stay float32.
        seed: Decides dropout.
    """

    steps: int
    learning_rate: float
    schedule: Literal["linear", "cosine"] = "linear"
    warmup_steps: int = 0
    weight_decay: float = 0.0
    beta2: float = 0.999
    max_grad_norm: float = 1.0
    piece_tokens: int = 8_192
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0

    def rate(self, step: int) -> float:
        """Return the factor of the learning rate at a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        left = (self.steps - step) / max(1, self.steps - self.warmup_steps)
        return left if self.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))


class Training:
    """A learner, what it learns from, and how far it is.

    Attributes:
        step: Steps done.
        losses: The mean loss a target token of each of them, in nats.
    """

    def __init__(
        self,
        learner: Learner,
        examples: Examples,
        batches: Batches,
        recipe: Recipe,
        world: World | None = None,
    ) -> None:
        self.step = 0
        self.losses: list[float] = []
        self._learner, self._examples, self._batches = learner, examples, batches
        self._recipe, self._world = recipe, world or World()
        self._device = learner.model.device
        self._parameters = list(learner.parameters.values())
        self._optimizer = torch.optim.AdamW(
            self._parameters,
            lr=recipe.learning_rate,
            betas=(0.9, recipe.beta2),
            weight_decay=recipe.weight_decay,
            fused=self._device.type == "cuda",
        )

    def run(self, until: int) -> None:
        """Train until so many steps are done.

        Args:
            until: Number of a step, at most those of the recipe.

        Raises:
            QualityAlarmError: A loss or gradient is no number; the weights stay as they were.
        """
        self._learner.model.train()
        while self.step < min(until, self._recipe.steps):
            self.losses.append(self._take_step())
            self.step += 1

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on: tensors and plain values."""
        return {
            "step": self.step,
            "losses": list(self.losses),
            "parameters": {
                name: parameter.detach() for name, parameter in self._learner.parameters.items()
            },
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state.

        Raises:
            ValueError: It is of another model.
        """
        self.restore_parameters(state)
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.losses = state["step"], list(state["losses"])

    def restore_parameters(self, state: dict[str, Any]) -> None:
        """Take the weights of a state, and nothing else.

        Raises:
            ValueError: They are of another model.
        """
        ours, theirs = self._learner.parameters, state["parameters"]
        if shapes_of(ours) != shapes_of(theirs):
            raise ValueError("the state is of a model with other parameters")
        with torch.no_grad():
            for name, parameter in ours.items():
                parameter.copy_(theirs[name])
        self._learner.synchronize()

    def _take_step(self) -> float:
        recipe, lengths = self._recipe, self._examples.lengths
        batch = self._batches.at(self.step)
        tokens = int(lengths[batch, 1].sum())
        parts = pieces(batch, lengths, max_tokens=recipe.piece_tokens, at_least=self._world.size)
        loss = torch.zeros((), device=self._device)
        for number in self._world.share(range(len(parts))):
            loss += self._backward(self._examples.batch(parts[number]), number, tokens)
        for parameter in self._parameters:
            if parameter.grad is None:  # a worker without a piece, in a step with few examples
                parameter.grad = torch.zeros_like(parameter)
        self._world.add_up([loss, *(p.grad for p in self._parameters if p.grad is not None)])
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, recipe.max_grad_norm)
        if not math.isfinite(loss.item() + norm.item()):  # the same on every worker
            raise QualityAlarmError(
                f"step {self.step + 1}: the loss is {loss.item():g}, its gradient {norm.item():g}, "
                f"expected numbers; lower training.learning_rate or raise training.warmup, and "
                f"train anew (--overwrite)"
            )
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * recipe.rate(self.step)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._learner.synchronize()
        return loss.item()

    def _backward(self, batch: Batch, number: int, tokens: int) -> Tensor:
        """Add the gradients of a piece; return its share of the mean loss of the step."""
        torch.manual_seed(_seed(self._recipe.seed, self.step, number))
        kind = self._device.type
        cast = torch.autocast(kind, torch.bfloat16)
        with cast if self._recipe.precision == "bfloat16" else nullcontext():
            moved = Batch(*(each.to(self._device) for each in batch))
            loss = self._learner.loss(moved) / tokens
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()


def _seed(*numbers: int) -> int:
    """Return a seed that differs for all numbers and their order."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def shapes_of(parameters: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter, by name."""
    return {name: tuple(value.shape) for name, value in parameters.items()}
