"""Free-form lines: known and invented words in any order, glossed word by word.

The grammar covers a small part of English. What lies outside it should still come out readable,
so the model also sees lines without much structure, whose gloss follows from the words alone:
articles, *be*, *to* and *of* are dropped, pronouns become points, negation and question words
stay, capitalized words inside a line are spelled, everything else is copied in capitals.
"""

from __future__ import annotations

import random

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.clauses import Clauses
from aslbatch.training.demo.grammar import Pair
from aslbatch.training.demo.phrases import EDIBLE, INTRANSITIVE, PRONOUNS, TRANSITIVE, Phrase

_WORDS = {
    "the": "", "a": "", "an": "", "to": "", "of": "", "is": "", "are": "", "was": "", "were": "",
    "be": "", "been": "", "being": "", "am": "", "has been": "", "do": "", "did": "", "does": "",
    "not": "NOT", "don't": "NOT", "doesn't": "NOT", "didn't": "NOT", "isn't": "NOT",
    "aren't": "NOT", "wasn't": "NOT", "weren't": "NOT", "haven't": "NOT", "hasn't": "NOT",
    "can't": "CANNOT", "won't": "WILL NOT", "couldn't": "COULD NOT", "shouldn't": "SHOULD NOT",
    "wouldn't": "WOULD NOT", "it's": "IX-IT", "that's": "THAT", "there's": "HAVE", "what's": "WHAT",
    "who's": "WHO", "he's": "IX-HE", "she's": "IX-SHE", "I've": "IX-1", "I'll": "IX-1 WILL",
    "you'll": "IX-2 WILL", "he'll": "IX-HE WILL", "she'll": "IX-SHE WILL", "we'll": "IX-WE WILL",
    "they'll": "IX-THEY WILL", "it'll": "IX-IT WILL", "you've": "IX-2", "we've": "IX-WE",
    "they've": "IX-THEY", "I'd": "IX-1 WOULD", "you'd": "IX-2 WOULD", "he'd": "IX-HE WOULD",
    "we'd": "IX-WE WOULD", "I'm": "IX-1", "you're": "IX-2", "we're": "IX-WE", "they're": "IX-THEY",
    "gonna": "WILL", "wanna": "WANT", "gotta": "HAVE-TO", "got": "GET", "here's": "HERE",
    "how's": "HOW", "where's": "WHERE", "mine": "POSS-1", "yours": "POSS-2", "this": "THIS",
    "that": "THAT", "these": "THESE", "those": "THOSE", "here": "HERE", "there": "THERE",
    "just": "JUST", "still": "STILL", "only": "ONLY", "also": "ALSO", "even": "EVEN",
    "nothing": "NOTHING", "something": "SOMETHING", "everything": "EVERYTHING",
    "someone": "SOMEONE", "everybody": "EVERYBODY", "nobody": "NOBODY", "never": "NEVER",
    "more": "MORE", "than": "THAN", "as": "AS", "like": "LIKE", "all": "ALL", "every": "EVERY",
    "up": "UP", "down": "DOWN", "out": "OUT", "back": "BACK", "home": "HOME", "one": "ONE",
    "other": "OTHER", "first": "FIRST", "last": "LAST", "much": "MUCH", "good": "GOOD",
    "who": "WHO", "which": "WHICH", "where": "WHERE", "how": "HOW", "why": "WHY", "what": "WHAT",
    "maybe": "MAYBE", "already": "ALREADY", "yet": "YET", "go": "GO", "let": "LET", "time": "TIME",
    "say": "SAY", "said": "SAY FINISH", "went": "GO FINISH", "came": "COME FINISH",
    "told": "TELL FINISH", "gave": "GIVE FINISH", "way": "WAY", "must": "MUST", "will": "WILL",
}
_ENDS = [".", ".", ".", ".", ".", "!", "!", "?", "?", "...", "", "", ","]
_WH = ("what", "where", "why", "how", "who", "when", "which")


def salad_words() -> list[str]:
    """Return the function words that a salad adds to the grammar's."""
    return list(_WORDS)


class Salad(Clauses):
    """An endless stream of free-form lines from one random stream."""

    def __init__(self, rng: random.Random, invented_rate: float = 0.45) -> None:
        super().__init__(rng, invented_rate, varied=True)

    def line(self) -> Pair:
        """Draw one line of one to eight pieces."""
        count = self.rng.choice((1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8))
        timed = self.chance(0.1)
        pieces = [self._piece(timed) for _ in range(count)]
        end = self.rng.choice(_ENDS)
        english, gloss = "", ""
        for piece in pieces:
            comma = "," if english and self.chance(0.08) else ""
            english = f"{english}{comma} {piece.english}".strip()
            gloss = f"{gloss} {piece.gloss}".strip()
        if timed:
            word, sign = self.rng.choice(
                [*lexicon.PAST_TIMES.items(), *lexicon.FUTURE_TIMES.items()])
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
            if self.chance(0.7) else Phrase(word[0].upper() + word[1:], "#" + word.upper())
            for word in (self.invented.word() for _ in range(self.rng.choice((1, 2, 3, 4, 6, 8))))
        ]
        if self.chance(0.3):
            drawn.append(Phrase(number := self.invented.number(), number))
        return self._finished(" ".join(phrase.english for phrase in drawn),
                              " ".join(phrase.gloss for phrase in drawn))

    def _piece(self, timed: bool) -> Phrase:
        draw = self.rng.random()
        if draw < 0.2:
            return self.subject()
        if draw < 0.38:
            subject = self.subject()
            verb = self.verb(self.rng.choice((TRANSITIVE, EDIBLE, INTRANSITIVE)))
            tense = self.rng.choice(("past", "past", "future", "habit", "progressive", "modal",
                                     "wish"))
            predicate = self.predicate(subject, verb, tense, timed)
            return Phrase(f"{subject.english} {predicate.english}",
                          f"{subject.gloss} {predicate.gloss}")
        if draw < 0.5:
            return self.object(self.rng.choice("tfp"))
        if draw < 0.58:
            return self.where()
        if draw < 0.78:
            word = self.rng.choice(list(_WORDS))
            return Phrase(word, _WORDS[word])
        if draw < 0.9:
            return self._copied()
        if draw < 0.95:
            word, sign = self.rng.choice(list(lexicon.CONJUNCTIONS.items()))
            return Phrase(word, sign)
        word, sign = self.rng.choice(list(lexicon.INTERJECTIONS.items()))
        return Phrase(word, sign)

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
