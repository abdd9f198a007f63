"""One worker of a training: reads the data, trains, measures, and keeps states to go on from.

All workers do the same on their share of each step; the first one also writes.
"""

import json
import logging
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from aslbatch.cluster.training_progress import TrainingProgress
from aslbatch.errors import SinkError
from aslbatch.models.decoding import Decoding
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.pipelines.train_curves import Curves
from aslbatch.pipelines.train_data import (
    batches_of,
    held_out,
    read_pairs,
    training_examples,
)
from aslbatch.pipelines.train_measure import Measurements
from aslbatch.pipelines.train_settings import TrainSettings
from aslbatch.pipelines.train_start import learner_of, recipe_of, start_checkpoint
from aslbatch.shards.layout import (
    TRAINED,
    TRAINING,
    TRAINING_CURVES,
    TRAINING_STATES,
)
from aslbatch.text.languages import GLOSS_CODE
from aslbatch.training.adapter import Adapter
from aslbatch.training.batches import Batches
from aslbatch.training.checkpoints import Checkpoints
from aslbatch.training.examples import Examples
from aslbatch.training.learner import Learner
from aslbatch.training.loop import Training
from aslbatch.training.saving import save_checkpoint
from aslbatch.training.validation import translate_held
from aslbatch.training.world import World

_log = logging.getLogger(__name__)
_DAMAGED = "%s: the state of step %d, the best, is damaged; the next best that is whole is taken"
_RECENT = 50
_KEPT = 2


def train_worker(settings: TrainSettings) -> None:
    """Train until it is done, from the newest state where there is one."""
    torch.set_num_threads(settings.threads)
    world, config = World.current(), settings.config
    pairs = [
        read_pairs(section, files)
        for section, files in zip(config.data, settings.data, strict=True)
    ]
    start = start_checkpoint(settings, world, pairs)
    learner, tokenizer = learner_of(settings, start)
    examples, portions, accounts = training_examples(
        config.data, pairs, tokenizer, config.training.max_length
    )
    batches = batches_of(config.training, examples, portions)
    work = _Work(settings, learner, tokenizer, examples, batches, world)
    work.resume()
    work.run()
    if world.rank == 0:
        work.finish(start.identity, [asdict(account) for account in accounts])
    world.wait()


class _Work:
    """A training with what happens between its steps."""

    def __init__(
        self,
        settings: TrainSettings,
        learner: Learner,
        tokenizer: Tokenizer,
        examples: Examples,
        batches: Batches,
        world: World,
    ) -> None:
        config = settings.config
        self._settings, self._learner, self._tokenizer = settings, learner, tokenizer
        self._world, self._storage = world, settings.storage
        self._steps_of_epoch = batches.steps_until(1)
        self._steps = config.training.steps or batches.steps_until(config.training.epochs or 1)
        recipe = recipe_of(settings, self._steps)
        self._training = Training(learner, examples, batches, recipe, world)
        self._states = Checkpoints(settings.storage.below(TRAINING_STATES))
        validation = config.validation
        self._held = (
            held_out(validation, settings.validation) if validation and settings.validation else []
        )
        self._measured = Measurements(
            validation.score if validation else "chrf", validation.patience if validation else None
        )
        self._decoding = Decoding(
            num_beams=validation.num_beams if validation else 1,
            max_length=config.training.max_length,
        )
        self._curves: Curves | None = None
        self._seconds, self._began = 0.0, time.monotonic()

    def resume(self) -> None:
        """Go back to the newest state, if there is one."""
        state = self._states.resume(self._world)
        if state is not None:
            self._training.restore(state)
            self._measured.made = state["measured"]
            self._seconds = state["seconds"]
        if self._world.rank == 0:
            self._curves = Curves(
                self._storage.below(TRAINING_CURVES), resumed_at=self._training.step
            )

    def run(self) -> None:
        """Take all steps that are left, unless validation says that it is enough."""
        config, training = self._settings.config, self._training
        measure_every = 0
        if config.validation:
            every = config.validation.every_steps
            measure_every = self._steps_of_epoch if every == "epoch" else every
        save_every = config.run.checkpoint_every_steps
        while training.step < self._steps and not self._measured.is_over:
            training.run(training.step + 1)
            is_last = training.step == self._steps
            measured = bool(measure_every) and (is_last or training.step % measure_every == 0)
            if measured:
                self._measure()
            if self._world.rank == 0:
                self._report()
                if measured or is_last or training.step % save_every == 0:
                    self._save()

    def finish(self, base: dict[str, str], data: list[dict[str, Any]]) -> None:
        """Write the best state's adapter or model, and the record that says that it is whole.

        Args:
            base: Identity of the checkpoint that was trained on.
            data: What became of each entry of `data`.
        """
        config = self._settings.config
        best, damaged = self._restore_best()
        step = best["step"] if best else self._training.step
        measured = {"best": best, "damaged": damaged, "all": self._measured.made}
        record = {
            **self._settings.record,
            "base": base,
            "data": data,
            "steps": {"planned": self._steps, "taken": self._training.step, "best": step},
            "measured": {"score": self._measured.score, **measured},
            "minutes": self._seconds_so_far() / 60,
            "losses": [round(loss, 6) for loss in self._training.losses],
        }
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        name = TRAINED[config.method.kind]
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / name
            if isinstance(self._learner, Adapter):
                self._learner.save(out)
            else:
                dtype = getattr(torch, config.sink.precision)
                save_checkpoint(self._learner.model, self._tokenizer.backend, out, dtype=dtype)
            (out / TRAINING).write_text(text, encoding="utf-8")
            self._storage.publish_folder(name, out)
        self._storage.publish(TRAINING, text.encode())

    def _restore_best(self) -> tuple[dict[str, Any] | None, list[int]]:
        """Go back to the best state that is whole.

        Returns:
            Its measurement, None without validation, and the steps of better states that are not.

        Raises:
            SinkError: None of those that were measured is whole.
        """
        best, damaged = self._measured.best, list[int]()
        kept = {*self._states.steps(), self._training.step, best["step"] if best else None}
        for each in self._measured.ranked():
            step = each["step"]
            if step not in kept:
                continue
            if step != self._training.step:
                state = self._states.load(step)
                if state is None:
                    _log.warning(_DAMAGED, self._storage.uri, step)
                    damaged.append(step)
                    continue
                self._training.restore_parameters(state)
            return each, damaged
        if damaged:
            raise SinkError(
                f"{self._storage.uri}/{TRAINING_STATES}: the states of steps {damaged} are "
                f"damaged, and no other was measured; restore them, or train anew (--overwrite)"
            )
        return None, damaged

    def _measure(self) -> None:
        found = translate_held(
            self._learner,
            self._tokenizer,
            self._held,
            decoding=self._decoding,
            world=self._world,
        )
        texts = {
            "into_gloss" if held.target_lang == GLOSS_CODE else "into_english": (
                ours,
                held.references,
            )
            for held, ours in zip(self._held, found, strict=True)
        }
        scores = self._measured.add(self._training.step, texts)
        if self._curves:
            self._curves.measured(self._training.step, scores)

    def _report(self) -> None:
        losses, best = self._training.losses, self._measured.best
        recent = losses[-_RECENT:]
        self._settings.reporter.say(
            TrainingProgress(
                self._training.step,
                self._steps,
                sum(recent) / len(recent),
                best["mean"] if best else None,
            )
        )
        if self._curves:
            self._curves.stepped(self._training.step, losses[-1])

    def _save(self) -> None:
        """Keep this state, the one before it, and the best one."""
        own = {"measured": self._measured.made, "seconds": self._seconds_so_far()}
        self._states.save({**self._training.state(), **own})
        best = self._measured.best
        self._states.keep({*self._states.steps()[-_KEPT:], *([best["step"]] if best else [])})
        if self._curves:
            self._curves.publish()

    def _seconds_so_far(self) -> float:
        """Return how long this training took, those that were killed before included."""
        return self._seconds + time.monotonic() - self._began
