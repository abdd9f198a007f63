"""The engine for accelerators: beam search of many sentences at once, each in a slot of its own.

See docs/engines.md for how it works, and `aslbatch.models.inflight` for the parts. It gives the
reference's output: transformers' beam search with early stopping, greedy search, and sampling with
one beam. It runs on CPUs too, without graphs, which is how its parity is tested.
"""

from collections.abc import Sequence

import torch

import aslbatch
from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Batching, EngineOutOfMemoryError, Hypothesis, Tokens
from aslbatch.models.inflight.beams import Rules
from aslbatch.models.inflight.flight import Flight, Found, Usage
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
_MOST_SLOTS = {"cpu": 32, "cuda": 1_024}
_LAG = {"cpu": 0, "cuda": 2}
_REFILL = {"cpu": 0.25, "cuda": 0.0625}
_MEMORY_SHARE = 0.8
"""Of the free memory, for slots; the rest is for encoder batches and graphs."""


class CudaEngine:
    """Translates with `aslbatch.models.inflight`; see `aslbatch.models.engine.Engine`.

    Attributes:
        usage: How well the slots have been used so far.
        most_slots: How many sentences are decoded at once; fewer once memory has run out.
    """

    def __init__(
        self,
        layers: Layers,
        output: Output,
        tokenizer: Tokenizer,
        *,
        name: str,
        full: "CudaEngine | None" = None,
    ) -> None:
        """Wrap a model; `load` takes it apart.

        Args:
            layers: The model without its output matrix.
            output: Its output matrix, with the shortlist or without.
            tokenizer: The tokenizer of its checkpoint.
            name: For provenance.
            full: The same model with its whole output matrix.
        """
        self._layers, self._output, self._tokenizer = layers, output, tokenizer
        self._device = output.ids.device
        self.name = name
        self.full = full
        self.batching = Batching(_MAX_TOKENS[self._device.type])
        self.usage = Usage()
        self.most_slots = _MOST_SLOTS[self._device.type]
        self._kept: tuple[object, Slots, Runner] | None = None

    @classmethod
    def load(cls, loaded: LoadedModel, shortlist: Shortlist | None = None) -> "CudaEngine":
        """Take a loaded model apart, which is not to be used afterwards."""
        model, tokenizer = loaded.model, loaded.tokenizer
        precision = str(model.dtype).removeprefix("torch.")
        name = f"cuda:{aslbatch.__version__}|{precision}|{model.device.type}"
        layers = Layers.of(model)
        engine = cls(layers, Output(model, None, tokenizer.eos_id), tokenizer, name=name)
        if shortlist is None:
            return engine
        restricted = Output(model, shortlist.ids, tokenizer.eos_id)
        name = f"{name}|{shortlist.signature}"
        return cls(layers, restricted, tokenizer, name=name, full=engine)

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
            Sentence(row, decoding.max_length, seed_of(row, decoding.seed + i) if sampling else 0)
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
            decoding.num_beams, max(limits), decoding.length_penalty, only_at_the_end=True
        )
        self._search(list(map(Sentence, batch, limits)), rules, target_lang, best=1)

    @torch.inference_mode()
    def _search(
        self, sentences: Sequence[Sentence], rules: Rules, target_lang: str, *, best: int
    ) -> list[Found]:
        """Decode sentences; where memory ends, those that are left with half of the slots."""
        found: dict[int, Found] = {}
        while len(found) < len(sentences):
            left = [index for index in range(len(sentences)) if index not in found]
            some = [sentences[index] for index in left]
            flight = None
            try:
                with memory_told_apart():
                    flight = self._flight(some, rules, target_lang, best)
                    flight.run()
            except EngineOutOfMemoryError:
                if self.most_slots == 1:
                    raise
                self._kept = None
                self.most_slots //= 2
            if flight is not None:
                flight.land()
                found.update((left[index], each) for index, each in flight.found.items())
        return [found[index] for index in range(len(sentences))]

    def _flight(
        self, sentences: Sequence[Sentence], rules: Rules, target_lang: str, best: int
    ) -> Flight:
        longest = max(len(sentence.tokens) for sentence in sentences)
        slots, runner = self._slots(rules, target_lang, len(sentences), longest)
        kind = self._device.type
        return Flight(
            slots,
            sentences,
            best=best,
            runner=runner,
            lag=_LAG[kind],
            refill=_REFILL[kind],
            usage=self.usage,
        )

    def _slots(
        self, rules: Rules, target_lang: str, sentences: int, longest_source: int
    ) -> tuple[Slots, Runner]:
        """Return slots of the last call where they will do, else new ones."""
        wanted = min(self.most_slots, 1 << (sentences - 1).bit_length())
        if self._kept is not None:
            key, slots, runner = self._kept
            if (
                key == (rules, target_lang)
                and slots.count >= wanted
                and slots.longest_source >= longest_source
            ):
                return slots, runner
        self._kept = None
        longest_source = max(longest_source, rules.max_length)
        each = Slots.bytes_each(self._layers, self._output, rules, longest_source)
        fitting = _fitting(each, self._device)
        if fitting < wanted:
            wanted = self.most_slots = fitting
        prefix = [self._tokenizer.eos_id, self._tokenizer.language_id(target_lang)]
        slots = Slots(
            self._layers,
            self._output,
            rules,
            count=wanted,
            prefix=torch.tensor(prefix, device=self._device),
            longest_source=longest_source,
        )
        runner = Graphs() if self._device.type == "cuda" else run_at_once
        self._kept = ((rules, target_lang), slots, runner)
        return slots, runner

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


def _fitting(bytes_each: int, device: torch.device) -> int:
    """Return how many slots fit into free memory: a power of two, at least one."""
    if device.type != "cuda":
        return _MOST_SLOTS[device.type]
    free, _ = torch.cuda.mem_get_info(device)
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return 1 << max(int(_MEMORY_SHARE * free / bytes_each), 1).bit_length() - 1
