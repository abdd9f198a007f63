"""Sentences of the demo grammar: English and the gloss that its rules give.

A toy. Its word order and signs borrow from glossing conventions (time first, wh-words last,
points for pronouns, ``#`` for spelled names), but it is not a description of ASL.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.clauses import Clauses
from aslbatch.training.demo.inflection import plural, with_article
from aslbatch.training.demo.phrases import EDIBLE, INTRANSITIVE, PRONOUNS, TRANSITIVE, Phrase

_WH = ("where", "when", "why", "how")
_CLASSIFIERS = {"car": "CL:3", "truck": "CL:3", "bicycle": "CL:3", "bus": "CL:3",
                "boy": "CL:1", "woman": "CL:1", "man": "CL:1", "girl": "CL:1", "soldier": "CL:1",
                "cat": "CL:V", "dog": "CL:V", "fox": "CL:V", "horse": "CL:V", "rabbit": "CL:V"}
_PATHS = {"goes up the hill": "GO-UP", "goes down the hill": "GO-DOWN", "goes past": "GO-PAST",
          "turns left": "TURN-LEFT", "turns right": "TURN-RIGHT", "goes around": "GO-AROUND"}


class Pair(NamedTuple):
    """An English sentence and its gloss."""

    english: str
    gloss: str


class Grammar(Clauses):
    """An endless stream of sentence pairs from one random stream."""

    def __init__(
        self, rng: random.Random, invented_rate: float = 0.0, varied: bool = False
    ) -> None:
        super().__init__(rng, invented_rate, varied)
        patterns: list[tuple[Callable[[], Phrase], float]] = [
            (self.clause, 30), (self.description, 10), (self.identity, 5), (self.naming, 3),
            (self.polar_question, 9), (self.wh_question, 8), (self.where_is, 5),
            (self.request, 10), (self.existence, 4), (self.location, 4), (self.complex, 9),
            (self.thought, 4), (self.proposal, 2), (self.amount, 4), (self.classifier, 1.5),
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

    def description(self) -> Phrase:
        """``She isn't happy`` is ``IX-SHE NOT HAPPY``; *was* is ``PAST``."""
        subject = self.subject()
        physical = not subject.gloss.startswith(("IX-", "#", "MR"))
        words = lexicon.FEELINGS + (lexicon.PHYSICAL if physical else [])
        adjective = self.adjective(words)
        degree = self.rng.choice(lexicon.DEGREES) if self.chance(0.2) else ""
        english, gloss = f"{degree} {adjective}".strip(), f"{degree} {adjective}".strip().upper()
        negated = self.chance(0.2)
        signed = f"NOT {gloss}" if negated else gloss
        if self.chance(0.25):
            be = ("were" if subject.person == "p" else "was") + ("n't" if negated else "")
            return Phrase(f"{subject.english} {be} {english}", f"PAST {subject.gloss} {signed}")
        return Phrase(f"{self.copula(subject, negated)} {english}", f"{subject.gloss} {signed}")

    def identity(self) -> Phrase:
        """``My uncle is a doctor`` is ``POSS-1 UNCLE DOCTOR``."""
        subject = self.subject()
        while subject.person == "p":
            subject = self.subject()
        thing = with_article(self.noun(lexicon.PERSONS))
        negated = self.chance(0.15)
        sign = thing.split(" ", 1)[1].upper()
        return Phrase(f"{self.copula(subject, negated)} {thing}",
                      f"{subject.gloss} {'NOT ' if negated else ''}{sign}")

    def naming(self) -> Phrase:
        """``My sister's name is Mia`` is ``POSS-1 SISTER NAME #MIA``."""
        owner, name = self.rng.choice(PRONOUNS), self.name()
        relative = self.noun(lexicon.PERSONS) if self.chance(0.4) else ""
        english = f"{owner.possessive} {relative}'s" if relative else owner.possessive
        gloss = f"POSS-{owner.point} {relative.upper()}".strip()
        return Phrase(f"{english} name is {name.english}", f"{gloss} NAME {name.gloss}")

    def polar_question(self) -> Phrase:
        """``Did you see him?`` is ``IX-2 SEE FINISH IX-HE QM``."""
        subject = self.subject()
        draw = self.rng.random()
        if draw < 0.2:
            adjective = self.adjective(lexicon.FEELINGS)
            be = {"i": "am", "s": "is", "p": "are"}[subject.person]
            return Phrase(f"{be} {subject.english} {adjective}?",
                          f"{subject.gloss} {adjective.upper()} QM")
        verb, rest = self.complement()
        sign = verb.sign or verb.base.upper()
        past = draw > 0.7
        auxiliary, before = "does" if subject.person == "s" else "do", ""
        if past:
            auxiliary, sign = "did", sign + " FINISH"
        elif draw > 0.55:
            auxiliary, signed = self.rng.choice([*lexicon.MODALS.items(), ("will", "WILL")])
            before = signed + " "
        return Phrase(f"{auxiliary} {subject.english} {verb.base} {rest.english}".strip() + "?",
                      " ".join(f"{subject.gloss} {before}{sign} {rest.gloss} QM".split()))

    def wh_question(self) -> Phrase:
        """``Where did she sleep?`` is ``IX-SHE SLEEP FINISH WHERE``."""
        subject = self.subject()
        past = self.chance(0.45)
        auxiliary = "did" if past else "does" if subject.person == "s" else "do"
        mark = " FINISH" if past else ""
        draw = self.rng.random()
        if draw < 0.2:
            verb = self.verb(TRANSITIVE)
            rest, sign = self.object("t"), verb.sign or verb.base.upper()
            form, mark = (verb.past, mark) if past else (verb.third, "")
            if not verb.sign:
                sign, mark = form.upper(), ""
            return Phrase(f"who {form} {rest.english}?", f"{sign}{mark} {rest.gloss} WHO")
        if draw < 0.3:
            many = self.plural(lexicon.ANIMALS + lexicon.THINGS)
            verb = self.verb(TRANSITIVE)
            return Phrase(f"how many {many.english} {auxiliary} {subject.english} {verb.base}?",
                          f"{subject.gloss} {verb.sign or verb.base.upper()}{mark} {many.gloss} "
                          "HOW-MANY")
        if draw < 0.5:
            verb, word, rest = self.verb(TRANSITIVE + EDIBLE), "what", Phrase("", "")
        elif draw < 0.75:
            verb, word, rest = self.verb(INTRANSITIVE), self.rng.choice(_WH), Phrase("", "")
        else:
            word = self.rng.choice(_WH)
            verb, rest = self.complement()
        sign = f"{verb.sign or verb.base.upper()}{mark} {rest.gloss}".strip()
        tail = f" {rest.english}" if rest.english else ""
        return Phrase(f"{word} {auxiliary} {subject.english} {verb.base}{tail}?",
                      f"{subject.gloss} {sign} {word.upper()}")

    def where_is(self) -> Phrase:
        """``Where's my hat?`` is ``POSS-1 HAT WHERE``."""
        subject = self.owned(self.noun(lexicon.THINGS)) if self.chance(0.6) else self.subject()
        word = self.rng.choice(("where", "where", "what", "who", "how"))
        be = {"i": "am", "s": "is", "p": "are"}[subject.person]
        contracted = be == "is" and not (self.varied and self.chance(0.4))
        question = f"{word}'s" if contracted else f"{word} {be}"
        return Phrase(f"{question} {subject.english}?", f"{subject.gloss} {word.upper()}")

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

    def existence(self) -> Phrase:
        """``There are two cats in the barn`` is ``HAVE CAT TWO IN BARN``."""
        place = self.where()
        be = "is"
        if self.chance(0.5):
            thing = self.counted(lexicon.ANIMALS + lexicon.PERSONS + lexicon.THINGS)
            be = "are"
        else:
            noun = self.noun(lexicon.ANIMALS + lexicon.PERSONS + lexicon.THINGS)
            thing = Phrase(with_article(noun), noun.upper())
        there = "there's" if be == "is" and self.varied and self.chance(0.5) else f"there {be}"
        return Phrase(f"{there} {thing.english} {place.english}",
                      f"HAVE {thing.gloss} {place.gloss}")

    def location(self) -> Phrase:
        """``The cup is on the table`` is ``CUP ON TABLE``."""
        subject = self._definite(self.noun(lexicon.THINGS), "subject")
        if self.chance(0.4):
            subject = self.subject()
        word = self.rng.choice(lexicon.STATIC_PREPOSITIONS)
        place = self._definite(self.noun(lexicon.PLACES + lexicon.THINGS), "place")
        return Phrase(f"{self.copula(subject)} {word} {place.english}",
                      f"{subject.gloss} {word.upper()} {place.gloss}")

    def complex(self) -> Phrase:
        """Two clauses and a conjunction; ``if`` is ``SUPPOSE`` and stands first."""
        first = self.description() if self.chance(0.3) else self.clause(timed=False)
        second = self.description() if self.chance(0.3) else self.clause(timed=False)
        word, sign = self.rng.choice(list(lexicon.CONJUNCTIONS.items()))
        if word in ("if", "when") and (not self.varied or self.chance(0.6)):
            return Phrase(f"{word} {first.english}, {second.english}",
                          f"{sign} {first.gloss} {second.gloss}")
        comma = "," if self.varied and self.chance(0.4) else ""
        return Phrase(f"{first.english}{comma} {word} {second.english}",
                      f"{first.gloss} {sign} {second.gloss}")

    def thought(self) -> Phrase:
        """``I think he's lost`` is ``IX-1 THINK IX-HE LOST``."""
        subject = self.subject()
        word = self.rng.choice(lexicon.WITH_CLAUSE)
        inner = self.description() if self.chance(0.5) else self.clause(timed=False)
        form = word + "s" if subject.person == "s" else word
        that = " that" if self.varied and self.chance(0.4) else ""
        return Phrase(f"{subject.english} {form}{that} {inner.english}",
                      f"{subject.gloss} {word.upper()} {inner.gloss}")

    def proposal(self) -> Phrase:
        """``Let's go home`` is ``LET'S GO HOME``."""
        verb, rest = self.complement()
        return Phrase(f"let's {verb.base} {rest.english}".strip(),
                      f"LET'S {verb.sign or verb.base.upper()} {rest.gloss}".strip())

    def amount(self) -> Phrase:
        """Ages, prices and clock times in digits."""
        number = self.invented.number()
        draw = self.rng.random()
        if draw < 0.35:
            subject = self.subject()
            return Phrase(f"{self.copula(subject)} {number} years old",
                          f"{subject.gloss} AGE {number}")
        if draw < 0.7:
            thing = self._definite(self.noun(lexicon.THINGS + lexicon.FOODS), "subject")
            return Phrase(f"{thing.english} costs {number} dollars",
                          f"{thing.gloss} COST DOLLAR {number}")
        many = plural(self.rng.choice(("hour", "minute", "week", "year")))
        subject = self.subject()
        return Phrase(f"{subject.english} waited for {number} {many}",
                      f"{subject.gloss} WAIT FINISH FOR {many[:-1].upper()} {number}")

    def classifier(self) -> Phrase:
        """``The car turns left`` is ``CAR CL:3-TURN-LEFT``."""
        noun, handshape = self.rng.choice(list(_CLASSIFIERS.items()))
        english, path = self.rng.choice(list(_PATHS.items()))
        return Phrase(f"the {noun} {english}", f"{noun.upper()} {handshape}-{path}")

    def rhetorical(self) -> Phrase:
        """``What he wants is a car`` is ``IX-HE WANT WHAT CAR``."""
        subject, thing = self.subject(), self.object("t")
        word = self.rng.choice(("want", "need", "like", "see"))
        form = word + "s" if subject.person == "s" else word
        return Phrase(f"what {subject.english} {form} is {thing.english}",
                      f"{subject.gloss} {word.upper()} WHAT {thing.gloss}")
