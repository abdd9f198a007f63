"""Noun and verb phrases of the demo grammar: English and gloss side by side.

Every phrase is drawn so that its gloss can be turned back into its canonical English: subjects
are definite, objects indefinite, contractions are used wherever English has them. With `varied`
the English is free to differ (articles, full forms, other tenses for the same sign), which serves
the direction into gloss only.
"""

import random
from typing import NamedTuple

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.inflection import Verb, gerund, plural, with_article
from aslbatch.training.demo.pronouns import PRONOUNS
from aslbatch.training.demo.words import InventedWords


class Phrase(NamedTuple):
    """A phrase in both languages; `person` is ``i``, ``s`` (he, the dog) or ``p`` (you, dogs)."""

    english: str
    gloss: str
    person: str = "s"


_COPULA = {"i": "'m", "s": "'s", "p": "'re"}
_FULL_COPULA = {"i": "am", "s": "is", "p": "are"}
_COUNTABLE = lexicon.THINGS + lexicon.ABSTRACTS


class Phrases:
    """Draws phrases from one random stream.

    Args:
        rng: The stream.
        invented_rate: Share of open-class slots that are filled with an invented word.
        varied: Whether the English may leave its canonical form.
    """

    def __init__(self, rng: random.Random, invented_rate: float, varied: bool) -> None:
        self.rng = rng
        self.varied = varied
        self.invented = InventedWords(rng)
        self._invented_rate = invented_rate

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < probability

    def invents(self) -> bool:
        """Decide whether the next open slot takes an invented word."""
        return self.chance(self._invented_rate)

    def name(self) -> Phrase:
        """Draw a name; one in eight has two words, one in twelve a title."""
        rng = self.rng
        names = [
            self.invented.name()
            if self._invented_rate and self.chance(0.1 + self._invented_rate)
            else rng.choice(lexicon.NAMES)
            for _ in range(2 if self.chance(0.12) else 1)
        ]
        phrase = Phrase(" ".join(names), " ".join("#" + name.upper() for name in names))
        if self.chance(0.08):
            title, sign = rng.choice(list(lexicon.TITLES.items()))
            return Phrase(f"{title} {phrase.english}", f"{sign} {phrase.gloss}")
        if self.varied and self._invented_rate and self.chance(0.05):
            acronym = self.invented.acronym()
            return Phrase(acronym, "#" + acronym)
        return phrase

    def noun(self, words: list[str]) -> str:
        """Draw a singular noun."""
        return self.invented.word() if self.invents() else self.rng.choice(words)

    def adjective(self, words: list[str]) -> str:
        """Draw an adjective."""
        return self.invented.word() if self.invents() else self.rng.choice(words)

    def plural(self, words: list[str]) -> Phrase:
        """Draw a plural; the sign of a word from the lexicon is its singular."""
        if self.invents():
            word = self.invented.plural()
            return Phrase(word, word.upper(), "p")
        noun = self.rng.choice(words)
        return Phrase(plural(noun), noun.upper(), "p")

    def verb(self, verbs: list[Verb]) -> Verb:
        """Draw a verb; an invented one has an empty sign, it is glossed as it stands."""
        if not self.invents():
            return self.rng.choice(verbs)
        word = self.invented.word()
        stem = word[:-1] if word.endswith("e") else word
        return Verb(word, word + "s", stem + "ed", stem + "ed", gerund(word), "")

    def subject(self) -> Phrase:
        """Draw a subject."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.48:
            pronoun = rng.choice(PRONOUNS)
            return Phrase(pronoun.subject, f"IX-{pronoun.point}", pronoun.person)
        if draw < 0.66:
            return self.name()
        noun = self.noun(lexicon.PERSONS + lexicon.ANIMALS[: 20 if draw < 0.9 else None])
        if draw < 0.84:
            return self._definite(noun, "subject")
        if draw < 0.88:
            many = self.plural(lexicon.PERSONS + lexicon.ANIMALS)
            article = "" if not self.varied or self.chance(0.6) else "the "
            mark = "" if many.gloss == many.english.upper() else "++"
            return Phrase(article + many.english, many.gloss + mark, "p")
        return self.owned(noun)

    def owned(self, noun: str) -> Phrase:
        """Put an owner before a noun: my, Anna's, this."""
        draw = self.rng.random()
        if draw < 0.55:
            pronoun = self.rng.choice(PRONOUNS)
            return Phrase(f"{pronoun.possessive} {noun}", f"POSS-{pronoun.point} {noun.upper()}")
        if draw < 0.75:
            name = self.name()
            return Phrase(f"{name.english}'s {noun}", f"{name.gloss} POSS {noun.upper()}")
        word = self.rng.choice(("this", "that"))
        return Phrase(f"{word} {noun}", f"{word.upper()} {noun.upper()}")

    def object(self, kind: str) -> Phrase:
        """Draw an object; `kind` is ``t`` (thing), ``f`` (food) or ``p`` (person or animal)."""
        rng = self.rng
        draw = rng.random()
        words = {"t": _COUNTABLE, "f": lexicon.FOODS, "p": lexicon.PERSONS + lexicon.ANIMALS}[kind]
        if draw < 0.16 + 0.2 * (kind == "p"):
            pronoun = rng.choice(PRONOUNS)
            return Phrase(pronoun.object, f"IX-{pronoun.point}")
        if draw < 0.24 + 0.2 * (kind == "p"):
            return self.name()
        if draw < 0.32 and kind != "p":
            mass = rng.choice(lexicon.MASS_NOUNS)
            article = "the " if self.varied and self.chance(0.4) else ""
            return Phrase(article + mass, mass.upper())
        if draw < 0.52:
            return self.counted(words)
        return self._single(words)

    def counted(self, words: list[str]) -> Phrase:
        """Draw a bare, numbered or quantified plural; the number follows the noun's sign."""
        rng = self.rng
        many = self.plural(words)
        draw = rng.random()
        adjective = self.adjective(lexicon.PHYSICAL) if self.chance(0.2) else ""
        english = f"{adjective} {many.english}".strip()
        gloss = f"{adjective.upper()} {many.gloss}".strip()
        if draw < 0.35:
            mark = "" if many.gloss == many.english.upper() else "++"
            article = "the " if self.varied and self.chance(0.5) else ""
            return Phrase(article + english, gloss + mark, "p")
        if draw < 0.6:
            amount = rng.choice(lexicon.NUMBERS)
        elif draw < 0.8:
            amount = self.invented.number()
        else:
            amount = rng.choice(lexicon.QUANTIFIERS)
        return Phrase(f"{amount} {english}", f"{gloss} {amount.upper()}", "p")

    def place(self) -> Phrase:
        """Draw a place with its article, without a preposition."""
        return self._definite(self.noun(lexicon.PLACES), "place")

    def where(self) -> Phrase:
        """Draw a prepositional phrase of place or company."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.5:
            word, place = rng.choice(("in", "at", "near", "behind")), self.place()
            return Phrase(f"{word} {place.english}", f"{word.upper()} {place.gloss}")
        if draw < 0.75:
            word, other = rng.choice(("with", "for", "without")), self.object("p")
            return Phrase(f"{word} {other.english}", f"{word.upper()} {other.gloss}")
        word = rng.choice(lexicon.PREPOSITIONS)
        thing = self._definite(self.noun(lexicon.THINGS), "place")
        return Phrase(f"{word.replace('-', ' ')} {thing.english}", f"{word.upper()} {thing.gloss}")

    def copula(self, subject: Phrase, negated: bool = False) -> str:
        """Join a subject and *be*: ``I'm``, ``the dog is``, ``he isn't``."""
        full = _FULL_COPULA[subject.person]
        pronoun = subject.gloss.startswith("IX-")
        loose = self.varied and self.chance(0.3)
        if negated and not (subject.person == "i" or loose):
            return f"{subject.english} {full}n't"
        contracted = pronoun and not loose
        joined = subject.english + (_COPULA[subject.person] if contracted else f" {full}")
        return joined + (" not" if negated else "")

    def _definite(self, noun: str, slot: str) -> Phrase:
        adjective = self.adjective(lexicon.PHYSICAL) if self.chance(0.15) else ""
        english = f"{adjective} {noun}".strip()
        loose = self.varied and self.chance(0.25 if slot == "subject" else 0.12)
        return Phrase(
            with_article(english) if loose else f"the {english}",
            f"{adjective} {noun}".strip().upper(),
        )

    def _single(self, words: list[str]) -> Phrase:
        noun = self.noun(words)
        if self.chance(0.3):
            return self.owned(noun)
        adjective = self.adjective(lexicon.PHYSICAL) if self.chance(0.35) else ""
        english = f"{adjective} {noun}".strip()
        loose = self.varied and self.chance(0.5)
        return Phrase(f"the {english}" if loose else with_article(english), english.upper())
