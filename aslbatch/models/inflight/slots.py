"""Slots of an accelerator's memory that hold a sentence each while it is decoded.

Keys and values of the source are kept once a sentence, for all its beams. Those of the target lie
where they were written, a column for each beam; which of them a beam attends to is said by a mask
made of `Beams.origins`. All beams of a sentence read the same keys, so the mask costs no memory
traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aslbatch.errors import ModelError
from aslbatch.models.engine import Tokens
from aslbatch.models.inflight.beams import Beams, Rules, advance
from aslbatch.models.inflight.layers import Layers
from aslbatch.models.inflight.output import Output, best_tokens
from aslbatch.models.inflight.sampling import drawn_tokens
from aslbatch.models.inflight.shapes import rounded
from aslbatch.models.inflight.transfer import sent

_ENCODED_AT_ONCE = 32_768
"""Padded source tokens of an encoder batch, which bounds its memory."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is decoded.

    Attributes:
        tokens: Source tokens.
        limit: Most target tokens, the start and the end among them.
        draw: A number that decides what is drawn, where tokens are drawn.
    """

    tokens: Tokens
    limit: int
    draw: int = 0


class Slots:
    """Slots and what is done with them.

    Attributes:
        count: How many there are.
        beams: The state of their searches.
        longest_target: Most tokens of a target.
        longest_source: Most tokens of a source.
        device: Where they are.
    """

    def __init__(
        self,
        layers: Layers,
        output: Output,
        rules: Rules,
        *,
        count: int,
        longest_source: int,
        device: torch.device,
    ) -> None:
        """Set memory aside.

        Args:
            layers: The model.
            output: Its output matrix.
            rules: What is the same for all searches.
            count: How many sentences at once.
            longest_source: Most tokens of a source.
            device: Where.

        Raises:
            ModelError: There are fewer tokens than a search has candidates.
        """
        if output.tokens < 2 * rules.beams:
            raise ModelError(
                f"{rules.beams} beams need {2 * rules.beams} tokens to choose from, and the "
                f"shortlist has {output.tokens}; lower decoding.num_beams"
            )
        self.device = device
        self._layers, self._output, self._rules = layers, output, rules
        self.count = count
        self.longest_target, self.longest_source = rules.max_length, rounded(longest_source)
        self.beams = Beams.empty(count, rules, device)

        def cache(*shape: int) -> list[tuple[Tensor, Tensor]]:
            full = (count, layers.heads, *shape, layers.head_width)
            return [
                (
                    torch.zeros(full, dtype=layers.dtype, device=device),
                    torch.zeros(full, dtype=layers.dtype, device=device),
                )
                for _ in layers.decoder
            ]

        self._target = cache(rules.places, rules.beams)
        self._source = cache(self.longest_source)
        self._source_length = torch.ones(count, dtype=torch.int64, device=device)
        self._draws = torch.zeros(count, dtype=torch.int64, device=device)

    @staticmethod
    def bytes_each(layers: Layers, output: Output, rules: Rules, longest_source: int) -> int:
        """Return the memory that a slot takes, with its part of a step's buffers."""
        width = layers.heads * layers.head_width * layers.dtype.itemsize
        places = rules.places * rules.beams + rounded(longest_source)
        caches = 2 * len(layers.decoder) * places * width
        # Scores before and after normalization, in the buffers of graphs and beside them; draws
        # are hashes of twice the size, and sorted.
        buffers = 4 if rules.sampling is None else 12
        logits = buffers * 4 * rules.beams * len(output.ids)
        return caches + logits

    def enter(
        self, slots: Sequence[int], sentences: Sequence[Sentence], prefix: Sequence[int]
    ) -> None:
        """Encode sentences, and take the first step of their searches.

        Args:
            slots: Where they go; all free.
            sentences: Best of similar lengths.
            prefix: Tokens that their targets begin with.
        """
        begins = sent(prefix, self.device)
        longest = max(len(sentence.tokens) for sentence in sentences)
        each = max(1, _ENCODED_AT_ONCE // longest)
        for start in range(0, len(sentences), each):
            part = slice(start, start + each)
            self._enter(slots[part], sentences[part], begins)

    def _enter(self, slots: Sequence[int], sentences: Sequence[Sentence], prefix: Tensor) -> None:
        device, count = self.device, len(sentences)
        longest = rounded(max(len(sentence.tokens) for sentence in sentences))
        tokens = sent([s.tokens + [0] * (longest - len(s.tokens)) for s in sentences], device)
        numbers = [(len(sentence.tokens), sentence.limit, sentence.draw) for sentence in sentences]
        lengths, limits, draws = sent(numbers, device).unbind(1)
        where = sent(slots, device)
        seen = self._attends_to_source(lengths, longest)
        encoded = self._layers.encode(tokens, seen)
        begun = torch.arange(len(prefix), device=device)
        hidden = self._layers.decoder_embedding(prefix.expand(count, -1), begun)
        caches = zip(self._layers.decoder, self._source, self._target, strict=True)
        for layer, (source_keys, source_values), (keys, values) in caches:
            query, key, value = layer.attention.project(hidden)
            keys[where, :, : len(begun), 0] = key
            values[where, :, : len(begun), 0] = value
            attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
            hidden = layer.attention.add(hidden, attended)
            key, value = layer.cross.remember(encoded)
            source_keys[where, :, :longest] = key
            source_values[where, :, :longest] = value
            hidden = layer.feed_forward(layer.cross(hidden, key, value, seen))
        new = Beams.begun(self._rules, prefix, limits)
        self._choose(new, hidden[:, -1:], draws)
        self.beams.put(where, new)
        self._source_length[where] = lengths
        self._draws[where] = draws

    def step(self, width: int, target: int, source: int) -> None:
        """Take one step with the first slots; neither waits for the device nor depends on data.

        Args:
            width: How many slots.
            target: Bound of their target tokens.
            source: Bound of their source tokens.
        """
        layers, beams, device = self._layers, self.beams.first(width), self.device
        rows, place = torch.arange(width, device=device), beams.length - 1
        own = self._attends_to_target(beams, target)
        seen = self._attends_to_source(self._source_length[:width], source)
        hidden = layers.decoder_embedding(beams.current, place[:, None])
        caches = zip(layers.decoder, self._source, self._target, strict=True)
        for layer, (source_keys, source_values), (keys, values) in caches:
            query, key, value = layer.attention.project(hidden)
            keys[rows, :, place] = key
            values[rows, :, place] = value
            attended = F.scaled_dot_product_attention(
                query,
                keys[:width, :, :target].flatten(2, 3),
                values[:width, :, :target].flatten(2, 3),
                attn_mask=own,
            )
            hidden = layer.attention.add(hidden, attended)
            hidden = layer.cross(
                hidden, source_keys[:width, :, :source], source_values[:width, :, :source], seen
            )
            hidden = layer.feed_forward(hidden)
        self._choose(beams, hidden, self._draws[:width])

    def move(self, slots: Sequence[int]) -> None:
        """Move some slots to the front; what was there is lost."""
        where = sent(slots, self.device)
        self.beams.move(where)
        tensors = [t for pair in (*self._source, *self._target) for t in pair]
        for tensor in (self._source_length, self._draws, *tensors):
            tensor[: len(slots)] = tensor[where]

    def _choose(self, beams: Beams, hidden: Tensor, draws: Tensor) -> None:
        """Score the next tokens after states [slots, beams or 1, width], and take them."""
        output, rules = self._output, self._rules
        logits = output.logits(self._layers.decoder_norm(hidden).flatten(0, 1))
        if rules.only_at_the_end:
            logits[:, output.eos] = -torch.inf
        if rules.sampling is None:
            log_probs, indices = best_tokens(logits, 2 * rules.beams)
        else:
            log_probs, indices = drawn_tokens(logits, rules.sampling, draws, beams.length)
        shape = (*hidden.shape[:2], -1)
        advance(
            beams,
            rules,
            log_probs.view(shape).expand(-1, rules.beams, -1),
            output.ids[indices].view(shape).expand(-1, rules.beams, -1),
            eos=output.eos_id,
        )

    def _attends_to_source(self, lengths: Tensor, longest: int) -> Tensor:
        """Return a bias of attention [sentences, 1, 1, longest]."""
        mask = torch.arange(longest, device=self.device) < lengths[:, None]
        return _as_bias(mask[:, None, None], self._layers.dtype)

    def _attends_to_target(self, beams: Beams, target: int) -> Tensor:
        """Return a bias of attention [slots, 1, beams, target * columns]."""
        columns = torch.arange(self._rules.beams, device=self.device, dtype=torch.int8)
        written = torch.arange(target, device=self.device) < beams.length[:, None]
        mask = beams.origins[:, :, :target, None] == columns
        mask = mask & written[:, None, :, None]
        return _as_bias(mask.flatten(2)[:, None], self._layers.dtype)


def _as_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Return 0 where a mask is true, and -inf elsewhere."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, -torch.inf)
