"""Sentences of the demo grammar: English and the gloss that its rules give.

A toy. Its word order and signs borrow from glossing conventions (time first, wh-words last,
points for pronouns, ``#`` for spelled names), but it is not a description of ASL.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.inflection import verb
from aslbatch.training.demo.phrases import Phrase
from aslbatch.training.demo.questions import Questions
from aslbatch.training.demo.statements import Statements


class Pair(NamedTuple):
    """An English sentence and its gloss."""

    english: str
    gloss: str


class Grammar(Statements, Questions):
    """An endless stream of sentence pairs from one random stream."""

    def __init__(
        self, rng: random.Random, invented_rate: float = 0.0, varied: bool = False
    ) -> None:
        super().__init__(rng, invented_rate, varied)
        patterns: list[tuple[Callable[[], Phrase], float]] = [
            (self.clause, 30),
            (self.description, 10),
            (self.identity, 5),
            (self.naming, 3),
            (self.polar_question, 9),
            (self.wh_question, 8),
            (self.where_is, 5),
            (self.request, 10),
            (self.existence, 4),
            (self.location, 4),
            (self.complex, 9),
            (self.thought, 4),
            (self.proposal, 2),
            (self.amount, 4),
            (self.classifier, 1.5),
            (self.rhetorical, 1.5),
        ]
        self._patterns = [pattern for pattern, _ in patterns]
        self._weights = [weight for _, weight in patterns]

    def sentence(self) -> Pair:
        """Draw a sentence: capitalized, punctuated, some with an interjection or a vocative."""
        body = self.rng.choices(self._patterns, self._weights)[0]()
        english, gloss = body.english, body.gloss
        draw = self.rng.random()
        mark = "" if english.endswith("?") else "."
        if draw < 0.09:
            word, sign = self.rng.choice(list(lexicon.INTERJECTIONS.items()))
            english, gloss = f"{word}, {english}", f"{sign} {gloss}"
        elif draw < 0.13:
            name = self.name()
            english, gloss = f"{name.english}, {english}", f"{name.gloss} {gloss}"
        if self.varied and mark and self.chance(0.2):
            mark = self.rng.choice(("!", "", "..."))
        return Pair(english[0].upper() + english[1:] + mark, gloss)

    def request(self) -> Phrase:
        """``Please don't touch it`` is ``PLEASE DON'T TOUCH IX-IT``."""
        verb, rest = self.complement()
        english = f"{verb.base} {rest.english}".strip()
        gloss = f"{verb.sign or verb.base.upper()} {rest.gloss}".strip()
        if self.chance(0.2):
            word = "do not" if self.varied and self.chance(0.3) else "don't"
            english, gloss = f"{word} {english}", f"DON'T {gloss}"
        if self.chance(0.25):
            english, gloss = f"please {english}", f"PLEASE {gloss}"
        return Phrase(english, gloss)

    def complex(self) -> Phrase:
        """Two clauses and a conjunction; ``if`` is ``SUPPOSE`` and stands first."""
        first = self.description() if self.chance(0.3) else self.clause(timed=False)
        second = self.description() if self.chance(0.3) else self.clause(timed=False)
        word, sign = self.rng.choice(list(lexicon.CONJUNCTIONS.items()))
        if word in ("if", "when") and (not self.varied or self.chance(0.6)):
            return Phrase(
                f"{word} {first.english}, {second.english}", f"{sign} {first.gloss} {second.gloss}"
            )
        comma = "," if self.varied and self.chance(0.4) else ""
        return Phrase(
            f"{first.english}{comma} {word} {second.english}",
            f"{first.gloss} {sign} {second.gloss}",
        )

    def thought(self) -> Phrase:
        """``I think he's lost`` is ``IX-1 THINK IX-HE LOST``."""
        subject = self.subject()
        word = self.rng.choice(lexicon.WITH_CLAUSE)
        inner = self.description() if self.chance(0.5) else self.clause(timed=False)
        past = self.chance(0.4)
        form = word + "s" if subject.person == "s" else word
        form, mark = (verb(word).past, " FINISH") if past else (form, "")
        that = " that" if self.varied and self.chance(0.4) else ""
        return Phrase(
            f"{subject.english} {form}{that} {inner.english}",
            f"{subject.gloss} {word.upper()}{mark} {inner.gloss}",
        )

    def proposal(self) -> Phrase:
        """``Let's go home`` is ``LET'S GO HOME``."""
        verb, rest = self.complement()
        return Phrase(
            f"let's {verb.base} {rest.english}".strip(),
            f"LET'S {verb.sign or verb.base.upper()} {rest.gloss}".strip(),
        )
