"""The state of many beam searches, one a slot, and one step of all of them.

The search is the one of transformers' `generate` with `early_stopping=True`: of twice as many
candidates as beams, those that end a sentence and are among the better half are kept aside with
their normalized score; the best others go on; a sentence is done once as many are kept aside as
there are beams, or its limit is reached.

No cache is reordered. A token that a beam takes is written to the column of that beam and stays
there; `origins` says for each beam and place in which column its token lies.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from aslbatch.errors import ModelError
from aslbatch.models.inflight.sampling import Sampling
from aslbatch.models.inflight.shapes import rounded

NEVER = -1e9
"""The score of what must not be chosen, as in transformers."""
_MOST_BEAMS = 127
"""Columns that a byte can tell apart."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for all searches.

    Attributes:
        beams: Hypotheses kept at each step.
        max_length: Most tokens of any of them, the start and the end among them.
        length_penalty: Exponent of the length by which a sum of log-probabilities is divided.
        only_at_the_end: Whether a sentence may end at its limit only, to take its time.
        sampling: How tokens are drawn, with one beam; None where the best are taken.
    """

    beams: int
    max_length: int
    length_penalty: float
    only_at_the_end: bool = False
    sampling: Sampling | None = None

    @property
    def places(self) -> int:
        """Places of a cache that holds any of them."""
        return rounded(self.max_length)

    def __post_init__(self) -> None:
        if self.beams > _MOST_BEAMS:
            raise ModelError(f"decoding.num_beams is {self.beams}; expected at most {_MOST_BEAMS}")


@dataclass(frozen=True, slots=True)
class Beams:
    """State of the searches; the first dimension of each is the slot.

    Attributes:
        limit: int64 [slots]; most tokens of this sentence, the start and the end among them.
        length: int64 [slots]; tokens so far.
        done: bool [slots]; also where there is no sentence.
        current: int64 [slots, beams]; the last token of each beam.
        scores: float32 [slots, beams]; sums of log-probabilities.
        origins: int8 [slots, beams, places]; see above.
        tokens: int64 [slots, places, beams]; what was written to each column.
        ended: float32 [slots, beams]; scores of ended hypotheses, best first.
        ended_length: int64 [slots, beams]; their tokens without the end.
        ended_origins: int8 [slots, beams, places].
    """

    limit: Tensor
    length: Tensor
    done: Tensor
    current: Tensor
    scores: Tensor
    origins: Tensor
    tokens: Tensor
    ended: Tensor
    ended_length: Tensor
    ended_origins: Tensor

    @classmethod
    def empty(cls, slots: int, rules: Rules, device: torch.device) -> "Beams":
        """Return slots without sentences."""
        beams, longest = rules.beams, rules.places

        def zeros(*shape: int, dtype: torch.dtype = torch.int64) -> Tensor:
            return torch.zeros(slots, *shape, dtype=dtype, device=device)

        return cls(
            limit=zeros() + longest,
            length=zeros() + 1,
            done=zeros(dtype=torch.bool) | True,
            current=zeros(beams),
            scores=zeros(beams, dtype=torch.float32),
            origins=zeros(beams, longest, dtype=torch.int8),
            tokens=zeros(longest, beams),
            ended=zeros(beams, dtype=torch.float32) + NEVER,
            ended_length=zeros(beams),
            ended_origins=zeros(beams, longest, dtype=torch.int8),
        )

    @classmethod
    def begun(cls, rules: Rules, prefix: Tensor, limits: Tensor) -> "Beams":
        """Return searches that begin with a prefix, int64 [length]; with limits, int64 [n]."""
        new = cls.empty(len(limits), rules, prefix.device)
        new.limit.copy_(limits)
        new.length.fill_(len(prefix))
        new.done.fill_(False)
        new.current.copy_(prefix[-1])
        # All beams hold the same: but one must not go on.
        new.scores[:, 1:] = NEVER
        new.tokens[:, : len(prefix)] = prefix[:, None]
        return new

    def first(self, count: int) -> "Beams":
        """Return the first slots; what is written to them is written here."""
        return Beams(*(getattr(self, field.name)[:count] for field in fields(self)))

    def put(self, slots: Tensor, others: "Beams") -> None:
        """Overwrite slots, int64 [n], with n others."""
        for field in fields(self):
            getattr(self, field.name)[slots] = getattr(others, field.name)

    def move(self, slots: Tensor) -> None:
        """Move some slots to the front."""
        for field in fields(self):
            tensor = getattr(self, field.name)
            tensor[: len(slots)] = tensor[slots]

    def hypotheses(self, slots: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the best hypotheses of searches that are done.

        Returns:
            Tokens, int64 [n, count, places], of which only those before the length mean
            something; lengths without the end, int64 [n, count]; scores, float32 [n, count].
        """
        origins = self.ended_origins[slots].transpose(1, 2)[:, :, :count].long()
        tokens = self.tokens[slots].gather(2, origins).transpose(1, 2)
        return tokens, self.ended_length[slots][:, :count], self.ended[slots][:, :count]


def advance(beams: Beams, rules: Rules, log_probs: Tensor, tokens: Tensor, *, eos: int) -> None:
    """Take one step with all searches.

    Args:
        beams: Their state, changed in place.
        rules: What is the same for all.
        log_probs: float32 [slots, beams, candidates]; of the best tokens after each beam; those
            of an end must not be there with `only_at_the_end`.
        tokens: int64, of the same shape: their ids.
        eos: Id of the end.
    """
    width = 2 * rules.beams
    at, live = beams.length, ~beams.done
    totals = beams.scores[:, :, None] + log_probs
    # At the last place every beam ends, at no cost, whatever the model says.
    last = (at == beams.limit - 1)[:, None, None]
    forced = torch.full_like(totals, -torch.inf)
    forced[:, :, 0] = beams.scores
    totals = torch.where(last, forced, totals)
    tokens = torch.where(last, eos, tokens)

    totals, index = totals.flatten(1).topk(width)
    parent = index // log_probs.shape[2]
    tokens = tokens.flatten(1).gather(1, index)
    ends = tokens == eos
    _set_aside(beams, rules, totals, ends & live[:, None], parent)

    running, chosen = torch.where(ends, totals + NEVER, totals).topk(rules.beams)
    parent, tokens = parent.gather(1, chosen), tokens.gather(1, chosen)
    origins = _of_parents(beams.origins, parent)
    columns = torch.arange(rules.beams, device=at.device, dtype=torch.int8)
    place = at[:, None, None].expand(-1, rules.beams, 1)
    origins.scatter_(2, place, columns[None, :, None].expand_as(place))
    beams.origins.copy_(origins)
    beams.tokens.scatter_(1, at[:, None, None].expand(-1, 1, rules.beams), tokens[:, None])
    beams.scores.copy_(running)
    beams.current.copy_(tokens)
    full = (beams.ended > NEVER / 2).all(1)
    beams.done.logical_or_(full | (at + 1 >= beams.limit))
    beams.length.add_((~beams.done).long())


def _set_aside(beams: Beams, rules: Rules, totals: Tensor, ends: Tensor, parent: Tensor) -> None:
    """Merge the hypotheses that end now with those that ended before; the best stay."""
    at = beams.length[:, None]
    better_half = torch.arange(2 * rules.beams, device=at.device) < rules.beams
    normalized = totals / at.float() ** rules.length_penalty
    ending = torch.where(ends & better_half, normalized, NEVER)
    best, chosen = torch.cat([beams.ended, ending], 1).topk(rules.beams)
    origins = torch.cat([beams.ended_origins, _of_parents(beams.origins, parent)], 1)
    lengths = torch.cat([beams.ended_length, at.expand_as(ending)], 1)
    beams.ended.copy_(best)
    beams.ended_length.copy_(lengths.gather(1, chosen))
    beams.ended_origins.copy_(_of_parents(origins, chosen))


def _of_parents(origins: Tensor, parent: Tensor) -> Tensor:
    return origins.gather(1, parent[:, :, None].expand(-1, -1, origins.shape[2]))
