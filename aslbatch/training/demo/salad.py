"""Free-form lines: known and invented words in any order, glossed word by word.

The grammar covers a small part of English. What lies outside it should still come out readable,
so the model also sees lines without much structure, whose gloss follows from the words alone:
articles, *be*, *to* and *of* are dropped, pronouns become points, negation and question words
stay, capitalized words inside a line are spelled, everything else is copied in capitals.
"""

import random

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.clauses import Clauses
from aslbatch.training.demo.function_words import FUNCTION_WORDS
from aslbatch.training.demo.grammar import Pair
from aslbatch.training.demo.phrases import Phrase
from aslbatch.training.demo.pronouns import PRONOUNS
from aslbatch.training.demo.verbs import EDIBLE, INTRANSITIVE, TRANSITIVE

_ENDS = [".", ".", ".", ".", ".", "!", "!", "?", "?", "...", "", "", ","]
_WH = ("what", "where", "why", "how", "who", "when", "which")


class Salad(Clauses):
    """An endless stream of free-form lines from one random stream."""

    def __init__(self, rng: random.Random, invented_rate: float = 0.45) -> None:
        super().__init__(rng, invented_rate, varied=True)

    def line(self) -> Pair:
        """Draw one line of one to eleven pieces."""
        count = self.rng.choice((1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8, 11))
        timed = self.chance(0.1)
        pieces = [self._piece(timed) for _ in range(count)]
        if self.chance(0.04):
            pieces[:1] = pieces[:1] * self.rng.choice((2, 3))
        end = self.rng.choice(_ENDS)
        english, gloss = "", ""
        for piece in pieces:
            comma = "," if english and self.chance(0.08) else ""
            english = f"{english}{comma} {piece.english}".strip()
            gloss = f"{gloss} {piece.gloss}".strip()
        if timed:
            word, sign = self.rng.choice(
                [*lexicon.PAST_TIMES.items(), *lexicon.FUTURE_TIMES.items()]
            )
            english = f"{word}, {english}" if self.chance(0.5) else f"{english} {word}"
            gloss = f"{sign} {gloss}"
        if end == "?" and self.chance(0.6):
            word = self.rng.choice(_WH)
            english, gloss = f"{word} {english}", f"{gloss} {word.upper()}"
        elif end == "?":
            gloss = f"{gloss} QM"
        return self._finished(english + end, gloss)

    def copies(self) -> Pair:
        """Draw invented words only, some capitalized: nothing helps but copying."""
        drawn = [
            Phrase(word, word.upper())
            if self.chance(0.7)
            else Phrase(word[0].upper() + word[1:], "#" + word.upper())
            for word in (self.invented.word() for _ in range(self.rng.choice((1, 2, 3, 4, 6, 8))))
        ]
        if self.chance(0.3):
            drawn.append(Phrase(number := self.invented.number(), number))
        return self._finished(
            " ".join(phrase.english for phrase in drawn), " ".join(phrase.gloss for phrase in drawn)
        )

    def _piece(self, timed: bool) -> Phrase:
        draw = self.rng.random()
        if draw < 0.2:
            return self.subject()
        if draw < 0.38:
            subject = self.subject()
            verb = self.verb(self.rng.choice((TRANSITIVE, EDIBLE, INTRANSITIVE)))
            tense = self.rng.choice(
                ("past", "past", "future", "habit", "progressive", "modal", "wish")
            )
            predicate = self.predicate(subject, verb, tense, timed)
            return Phrase(
                f"{subject.english} {predicate.english}", f"{subject.gloss} {predicate.gloss}"
            )
        if draw < 0.5:
            return self.object(self.rng.choice("tfp"))
        if draw < 0.55:
            return self.where()
        if draw < 0.58:
            return self._passive() if self.chance(0.5) else self._list()
        if draw < 0.78:
            word = self.rng.choice(list(FUNCTION_WORDS))
            return Phrase(word, FUNCTION_WORDS[word])
        if draw < 0.9:
            return self._copied()
        if draw < 0.95:
            word, sign = self.rng.choice(list(lexicon.CONJUNCTIONS.items()))
            return Phrase(word, sign)
        word, sign = self.rng.choice(list(lexicon.INTERJECTIONS.items()))
        return Phrase(word, sign)

    def _passive(self) -> Phrase:
        verb = self.verb(self.rng.choice((TRANSITIVE, EDIBLE)))
        auxiliary = self.rng.choice(("was", "were", "got", "been", "is", "are"))
        sign = f"{verb.sign} FINISH" if verb.sign else verb.participle.upper()
        return Phrase(
            f"{auxiliary} {verb.participle}", f"GET {sign}" if auxiliary == "got" else sign
        )

    def _list(self) -> Phrase:
        items = [self.object("t") for _ in range(self.rng.choice((2, 3, 3, 4)))]
        word = self.rng.choice(("and", "and", "or"))
        english = ", ".join(item.english for item in items[:-1])
        gloss = " ".join(item.gloss for item in items[:-1])
        return Phrase(
            f"{english} {word} {items[-1].english}", f"{gloss} {word.upper()} {items[-1].gloss}"
        )

    def _copied(self) -> Phrase:
        draw = self.rng.random()
        if draw < 0.15:
            number = self.invented.number()
            return Phrase(number, number)
        if draw < 0.3:
            return self.name()
        if draw < 0.4:
            word = self.rng.choice(lexicon.MANNERS + lexicon.FEELINGS + lexicon.PHYSICAL)
        elif draw < 0.5:
            owner = self.rng.choice(PRONOUNS)
            word = self.invented.word()
            return Phrase(f"{owner.possessive} {word}", f"POSS-{owner.point} {word.upper()}")
        elif draw < 0.56:
            word = f"{self.invented.word()}-{self.invented.word()}"
        else:
            word = self.invented.word()
        return Phrase(word, word.upper())

    def _finished(self, english: str, gloss: str) -> Pair:
        gloss = " ".join(gloss.split())
        if not gloss:
            english, gloss = f"{english.rstrip('.!?,')} okay.", "OKAY"
        if self.chance(0.85):
            english = english[0].upper() + english[1:]
        if self.chance(0.04):
            english = f"- {english}"
        elif self.chance(0.03):
            english = f'"{english}"'
        return Pair(english, gloss)
