"""The engine for accelerators: beam search of many sentences at once, each in a slot of its own.

See docs/engines.md for how it works, and `aslbatch.models.inflight` for the parts. It gives the
reference's output: transformers' beam search with early stopping, greedy search, and sampling with
one beam. It runs on CPUs too, without graphs, which is how its parity is tested.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import aslbatch
from aslbatch.models.decoding import TARGET_RATIO, Decoding
from aslbatch.models.engine import Batching, EngineOutOfMemoryError, Hypothesis, Tokens
from aslbatch.models.inflight.beams import Rules
from aslbatch.models.inflight.flight import Flight, Found, Pace, Usage
from aslbatch.models.inflight.graphs import Graphs, Runner, run_at_once
from aslbatch.models.inflight.layers import Layers
from aslbatch.models.inflight.output import Output
from aslbatch.models.inflight.sampling import Sampling
from aslbatch.models.inflight.slots import Sentence, Slots
from aslbatch.models.loading import LoadedModel
from aslbatch.models.memory import memory_told_apart
from aslbatch.models.seeds import seed_of
from aslbatch.models.shortlist import Shortlist
from aslbatch.models.tokenizer import Tokenizer

_MAX_TOKENS = {"cpu": 16_384, "cuda": 1 << 20}
"""Source tokens of a call: the more sentences, the less often slots run empty at its end."""
_PACE = {
    "cpu": Pace(beams=128, lag=0, refill=0.25),
    "cuda": Pace(beams=4_096, lag=1, refill=0.0625),
}
_ATTENTION = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""Not cuDNN's, which plans anew for each shape."""
_MEMORY_SHARE = 0.8
"""Of the free memory, for slots; the rest is for encoder batches and graphs."""


class CudaEngine:
    """Translates with `aslbatch.models.inflight`; see `aslbatch.models.engine.Engine`.

    Attributes:
        pace: How the device is kept busy; fewer beams at once after memory has run out.
        usage: How well the slots have been used so far.
    """

    def __init__(
        self,
        layers: Layers,
        output: Output,
        tokenizer: Tokenizer,
        *,
        name: str,
        target_ratio: float | None = TARGET_RATIO,
        full: "CudaEngine | None" = None,
    ) -> None:
        """Wrap a model; `load` takes it apart.

        Args:
            layers: The model without its output matrix.
            output: Its output matrix, with the shortlist or without.
            tokenizer: The tokenizer of its checkpoint.
            name: For provenance.
            target_ratio: Target tokens for each source token up to which a search goes at first;
                None for `max_length` at once.
            full: The same model with its whole output matrix.
        """
        self._layers, self._output, self._tokenizer = layers, output, tokenizer
        self._device = output.ids.device
        self.name = name
        self.full = full
        self.batching = Batching(_MAX_TOKENS[self._device.type])
        self._target_ratio = target_ratio
        self.pace = _PACE[self._device.type]
        self.usage = Usage()
        self._kept: _Kept | None = None

    @classmethod
    def load(
        cls,
        loaded: LoadedModel,
        shortlist: Shortlist | None = None,
        target_ratio: float | None = TARGET_RATIO,
    ) -> "CudaEngine":
        """Wrap a loaded model, which is left as it is.

        Args:
            loaded: The model.
            shortlist: What may be generated; None for everything.
            target_ratio: See above.
        """
        model, tokenizer = loaded.model, loaded.tokenizer
        precision = str(model.dtype).removeprefix("torch.")
        name = f"cuda:{aslbatch.__version__}|{precision}|{model.device.type}"
        layers = Layers.of(model)
        whole = Output(model, None, tokenizer.eos_id)
        engine = cls(layers, whole, tokenizer, name=name, target_ratio=target_ratio)
        if shortlist is None:
            return engine
        return cls(
            layers,
            Output(model, shortlist.ids, tokenizer.eos_id),
            tokenizer,
            name=f"{name}|{shortlist.signature}",
            target_ratio=target_ratio,
            full=engine,
        )

    def translate(
        self, batch: Sequence[Tokens], *, target_lang: str, decoding: Decoding
    ) -> list[list[Hypothesis]]:
        """Translate one batch; see `aslbatch.models.engine.Engine`."""
        sampling = None
        if decoding.do_sample:
            sampling = Sampling(decoding.temperature, decoding.top_k, decoding.top_p)
        rules = Rules(
            decoding.num_beams, decoding.max_length, decoding.length_penalty, sampling=sampling
        )
        # A sample is a search of its own; the hypotheses of a search are those of its beams.
        wanted = decoding.num_return_sequences
        times, best = (wanted, 1) if sampling else (1, wanted)
        sentences = [
            Sentence(row, decoding.max_length, seed_of([*row, i], decoding.seed) if sampling else 0)
            for row in batch
            for i in range(times)
        ]
        found = self._search(sentences, rules, target_lang, best=best)
        hypotheses = [self._hypotheses(each, decoding.max_length) for each in found]
        return [
            [one for each in hypotheses[i : i + times] for one in each]
            for i in range(0, len(hypotheses), times)
        ]

    def force(
        self,
        batch: Sequence[Tokens],
        *,
        target_lang: str,
        decoding: Decoding,
        length: int | Sequence[int],
    ) -> None:
        """Decode tokens to take the time; see `aslbatch.models.engine.Engine`.

        Args:
            batch: Source tokens.
            target_lang: mBART-50 code.
            decoding: How to search.
            length: Tokens of all, or of each.
        """
        lengths = [length] * len(batch) if isinstance(length, int) else length
        # One more than the start token: the language is among the `length`, and so is the end.
        limits = [each + 1 for each in lengths]
        rules = Rules(
            decoding.num_beams,
            max(decoding.max_length, *limits),
            decoding.length_penalty,
            only_at_the_end=True,
        )
        self._search(list(map(Sentence, batch, limits)), rules, target_lang, best=1)

    @torch.inference_mode()
    def _search(
        self, sentences: Sequence[Sentence], rules: Rules, target_lang: str, *, best: int
    ) -> list[Found]:
        """Decode sentences; where memory ends, those that are left with half of the slots."""
        found: dict[int, Found] = {}
        prefix = [self._tokenizer.eos_id, self._tokenizer.language_id(target_lang)]
        while len(found) < len(sentences):
            left = [index for index in range(len(sentences)) if index not in found]
            some = [sentences[index] for index in left]
            count = self._count(rules, len(some))
            # What an earlier round held is let go.
            flight = kept = None
            try:
                with memory_told_apart(), sdpa_kernel(_ATTENTION):
                    kept = self._slots(rules, some, count)
                    flight = Flight(
                        kept.slots,
                        some,
                        prefix,
                        best=best,
                        target_ratio=None if rules.only_at_the_end else self._target_ratio,
                        runner=kept.runner,
                        pace=self.pace,
                        usage=self.usage,
                    )
                    flight.run()
            except EngineOutOfMemoryError:
                count = count if kept is None else kept.slots.count
                if count == 1:
                    raise
                self._kept = None
                self.pace = replace(self.pace, beams=count // 2 * rules.beams)
            if flight is not None:
                flight.land()
                found.update((left[index], each) for index, each in flight.found.items())
        return [found[index] for index in range(len(sentences))]

    def _count(self, rules: Rules, sentences: int) -> int:
        """Return how many slots are wanted."""
        return min(max(1, self.pace.beams // rules.beams), 1 << (sentences - 1).bit_length())

    def _slots(self, rules: Rules, sentences: Sequence[Sentence], count: int) -> "_Kept":
        """Return the slots of the last call where they will do, else new ones."""
        longest = max(len(sentence.tokens) for sentence in sentences)
        kept = self._kept
        if kept is None or not kept.suits(rules, count, longest):
            # Nothing may hold the old ones while room for new ones is measured.
            self._kept = kept = None
            longest = max(longest, rules.max_length)
            each = Slots.bytes_each(self._layers, self._output, rules, longest)
            fitting = min(count, _fitting(each, self._device))
            slots = Slots(
                self._layers,
                self._output,
                rules,
                count=fitting,
                longest_source=longest,
                device=self._device,
            )
            runner = Graphs() if self._device.type == "cuda" else run_at_once
            self._kept = kept = _Kept(rules, count, slots, runner)
        return kept

    def _hypotheses(self, found: Found, max_length: int) -> list[Hypothesis]:
        return [
            # Without start and end, which count: a sentence that comes to the limit was cut.
            Hypothesis(
                tokens=self._tokenizer.without_special(tokens),
                score=score,
                complete=len(tokens) + 2 < max_length,
            )
            for tokens, score in zip(found.tokens, found.scores, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Kept:
    """Slots that are kept for the next call, with their graphs, and what they were made for."""

    rules: Rules
    wanted: int
    slots: Slots
    runner: Runner

    def suits(self, rules: Rules, wanted: int, longest_source: int) -> bool:
        """Return whether another call can use them."""
        fits = self.wanted >= wanted and self.slots.longest_source >= longest_source
        return self.rules == rules and fits


def _fitting(bytes_each: int, device: torch.device) -> int:
    """Return how many slots fit into free memory, at least one."""
    if device.type != "cuda":
        return sys.maxsize
    free, _ = torch.cuda.mem_get_info(device)
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(1, int(_MEMORY_SHARE * free / bytes_each))
