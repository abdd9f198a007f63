"""Clauses of the demo grammar: a subject, a verb in some tense, its objects, a time, a place.

Rules of the gloss: the time stands first; articles, *be* and *to* are dropped; past without a
time is ``FINISH`` after the verb; continuous is ``++`` on the verb; ``NOT`` stands before it.
"""

from typing import NamedTuple

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.inflection import Verb
from aslbatch.training.demo.phrases import Phrase, Phrases
from aslbatch.training.demo.verbs import DITRANSITIVE, EDIBLE, INTRANSITIVE, MOTION, TRANSITIVE

_TENSES = ("past", "past", "past", "future", "habit", "habit", "progressive", "modal", "wish")
_TIMES = {
    "past": lexicon.PAST_TIMES,
    "future": lexicon.FUTURE_TIMES,
    "habit": lexicon.HABIT_TIMES,
    "progressive": lexicon.PRESENT_TIMES,
    "modal": lexicon.FUTURE_TIMES,
    "wish": lexicon.PRESENT_TIMES,
}


class Predicate(NamedTuple):
    """A verb in one tense: ``will eat`` and ``WILL EAT``."""

    english: str
    gloss: str


class Clauses(Phrases):
    """Draws whole clauses."""

    def clause(self, timed: bool = True) -> Phrase:
        """Draw a clause; `timed` allows a time word, which is signed first."""
        rng = self.rng
        subject = self.subject()
        verb, rest = self.complement()
        tense = rng.choice(_TENSES)
        time = None
        if timed and self.chance(0.4):
            time = self._time(tense)
        predicate = self.predicate(subject, verb, tense, time is not None)
        gloss = f"{subject.gloss} {predicate.gloss} {rest.gloss}".strip()
        english = f"{subject.english} {predicate.english} {rest.english}".strip()
        if time is None:
            return Phrase(english, gloss)
        if self.varied and self.chance(0.5):
            comma = "," if self.chance(0.6) else ""
            return Phrase(f"{time.english}{comma} {english}", f"{time.gloss} {gloss}")
        return Phrase(f"{english} {time.english}", f"{time.gloss} {gloss}")

    def complement(self) -> tuple[Verb, Phrase]:
        """Draw a verb with what follows it."""
        draw = self.rng.random()
        if draw < 0.4:
            verb, rest = self.verb(TRANSITIVE), self.object(self.rng.choice("ttp"))
        elif draw < 0.52:
            verb, rest = self.verb(EDIBLE), self.object("f")
        elif draw < 0.6:
            verb, goal = self.rng.choice(MOTION), self.place()
            return verb, Phrase(f"to {goal.english}", f"TO {goal.gloss}")
        elif draw < 0.68:
            return self._ditransitive()
        else:
            verb, rest = self.verb(INTRANSITIVE), Phrase("", "")
        if self.chance(0.15):
            word = (
                self.invented.word() + "ly" if self.invents() else self.rng.choice(lexicon.MANNERS)
            )
            rest = Phrase(f"{rest.english} {word}", f"{rest.gloss} {word.upper()}")
        if self.chance(0.25):
            place = self.where()
            rest = Phrase(f"{rest.english} {place.english}", f"{rest.gloss} {place.gloss}")
        return verb, Phrase(rest.english.strip(), rest.gloss.strip())

    def predicate(self, subject: Phrase, verb: Verb, tense: str, timed: bool) -> Predicate:
        """Put a verb into a tense, negated once in five."""
        negated = self.chance(0.2)
        mark = "" if timed else " FINISH"
        sign = verb.sign or verb.base.upper()
        if tense == "past":
            if negated:
                return Predicate(f"{self._not('did')} {verb.base}", f"NOT {sign}{mark}")
            return self._past(subject, verb, timed)
        if tense == "future":
            return self._future(subject, verb, negated)
        if tense == "progressive":
            return self._progressive(subject, verb, negated)
        if tense == "modal":
            word, modal = self.rng.choice(list(lexicon.MODALS.items()))
            if not negated or word == "may":
                return Predicate(f"{word} {verb.base}", f"{modal} {sign}")
            english = self._not(word)
            return Predicate(
                f"{english} {verb.base}",
                f"CANNOT {sign}" if word == "can" else f"{modal} NOT {sign}",
            )
        singular = subject.person == "s"
        if tense == "wish":
            return self._wish(verb, singular, negated)
        if negated:
            return Predicate(
                f"{self._not('does' if singular else 'do')} {verb.base}", f"NOT {sign}"
            )
        form = verb.third if singular else verb.base
        often = self.rng.choice(lexicon.FREQUENCIES) if self.chance(0.2) else ""
        return Predicate(
            f"{often} {form}".strip(), f"{often.upper()} {verb.sign or form.upper()}".strip()
        )

    def _not(self, word: str) -> str:
        full = self.varied and self.chance(0.3)
        if word == "can":
            return "cannot" if full else "can't"
        if word == "will":
            return "will not" if full else "won't"
        return f"{word} not" if full or word in ("may", "am") else f"{word}n't"

    def _past(self, subject: Phrase, verb: Verb, timed: bool) -> Predicate:
        mark = "" if timed else " FINISH"
        if self.varied and not timed and self.chance(0.3):
            auxiliary = "has" if subject.person == "s" else "have"
            return Predicate(
                f"{auxiliary} {verb.participle}",
                verb.sign + mark if verb.sign else verb.participle.upper(),
            )
        return Predicate(verb.past, verb.sign + mark if verb.sign else verb.past.upper())

    def _future(self, subject: Phrase, verb: Verb, negated: bool) -> Predicate:
        sign = verb.sign or verb.base.upper()
        if negated:
            return Predicate(f"{self._not('will')} {verb.base}", f"WILL NOT {sign}")
        if self.varied and self.chance(0.35):
            be = {"i": "am", "s": "is", "p": "are"}[subject.person]
            going = self.rng.choice((f"{be} going to", f"{be} gonna"))
            return Predicate(f"{going} {verb.base}", f"WILL {sign}")
        return Predicate(f"will {verb.base}", f"WILL {sign}")

    def _progressive(self, subject: Phrase, verb: Verb, negated: bool) -> Predicate:
        be = {"i": "am", "s": "is", "p": "are"}[subject.person]
        sign = f"{verb.sign}++" if verb.sign else verb.gerund.upper()
        if not negated:
            return Predicate(f"{be} {verb.gerund}", sign)
        return Predicate(f"{self._not(be)} {verb.gerund}", f"NOT {sign}")

    def _wish(self, verb: Verb, singular: bool, negated: bool) -> Predicate:
        sign = verb.sign or verb.base.upper()
        word = self.rng.choice(("want", "want", "need", "try", "have"))
        signed = "HAVE-TO" if word == "have" else word.upper()
        if negated:
            return Predicate(
                f"{self._not('does' if singular else 'do')} {word} to {verb.base}",
                f"NOT {signed} {sign}",
            )
        form = {"have": "has", "try": "tries"}.get(word, word + "s") if singular else word
        return Predicate(f"{form} to {verb.base}", f"{signed} {sign}")

    def _time(self, tense: str) -> Phrase | None:
        if self.chance(0.12):
            day = self.rng.choice(lexicon.WEEKDAYS)
            return Phrase(f"on {day}", day.upper())
        if self.chance(0.08):
            hour = str(self.rng.randint(1, 12))
            hour += f":{self.rng.choice(('15', '30', '45', '05'))}" if self.chance(0.3) else ""
            return Phrase(f"at {hour}", f"TIME {hour}")
        english, gloss = self.rng.choice(list(_TIMES[tense].items()))
        return Phrase(english, gloss)

    def _ditransitive(self) -> tuple[Verb, Phrase]:
        verb = self.rng.choice(DITRANSITIVE)
        receiver, gift = self.object("p"), self.object("t")
        return verb, Phrase(f"{receiver.english} {gift.english}", f"{receiver.gloss} {gift.gloss}")
