"""Statements of the demo grammar around *be*, *have* and numbers; their gloss has no *be*."""

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.clauses import Clauses
from aslbatch.training.demo.inflection import plural, with_article
from aslbatch.training.demo.phrases import Phrase
from aslbatch.training.demo.pronouns import PRONOUNS

_CLASSIFIERS = {
    "car": "CL:3",
    "truck": "CL:3",
    "bicycle": "CL:3",
    "bus": "CL:3",
    "boy": "CL:1",
    "woman": "CL:1",
    "man": "CL:1",
    "girl": "CL:1",
    "soldier": "CL:1",
    "cat": "CL:V",
    "dog": "CL:V",
    "fox": "CL:V",
    "horse": "CL:V",
    "rabbit": "CL:V",
}
_PATHS = {
    "goes up the hill": "GO-UP",
    "goes down the hill": "GO-DOWN",
    "goes past": "GO-PAST",
    "turns left": "TURN-LEFT",
    "turns right": "TURN-RIGHT",
    "goes around": "GO-AROUND",
}


class Statements(Clauses):
    """Draws simple statements."""

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
        return Phrase(
            f"{self.copula(subject, negated)} {thing}",
            f"{subject.gloss} {'NOT ' if negated else ''}{sign}",
        )

    def naming(self) -> Phrase:
        """``My sister's name is Mia`` is ``POSS-1 SISTER NAME #MIA``."""
        owner, name = self.rng.choice(PRONOUNS), self.name()
        relative = self.noun(lexicon.PERSONS) if self.chance(0.4) else ""
        english = f"{owner.possessive} {relative}'s" if relative else owner.possessive
        gloss = f"POSS-{owner.point} {relative.upper()}".strip()
        return Phrase(f"{english} name is {name.english}", f"{gloss} NAME {name.gloss}")

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
        return Phrase(
            f"{there} {thing.english} {place.english}", f"HAVE {thing.gloss} {place.gloss}"
        )

    def location(self) -> Phrase:
        """``The cup is on the table`` is ``CUP ON TABLE``."""
        subject = self._definite(self.noun(lexicon.THINGS), "subject")
        if self.chance(0.4):
            subject = self.subject()
        word = self.rng.choice(lexicon.STATIC_PREPOSITIONS)
        place = self._definite(self.noun(lexicon.PLACES + lexicon.THINGS), "place")
        return Phrase(
            f"{self.copula(subject)} {word} {place.english}",
            f"{subject.gloss} {word.upper()} {place.gloss}",
        )

    def amount(self) -> Phrase:
        """Ages, prices and clock times in digits."""
        number = self.invented.number()
        draw = self.rng.random()
        if draw < 0.35:
            subject = self.subject()
            return Phrase(
                f"{self.copula(subject)} {number} years old", f"{subject.gloss} AGE {number}"
            )
        if draw < 0.7:
            thing = self._definite(self.noun(lexicon.THINGS + lexicon.FOODS), "subject")
            return Phrase(
                f"{thing.english} costs {number} dollars", f"{thing.gloss} COST DOLLAR {number}"
            )
        many = plural(self.rng.choice(("hour", "minute", "week", "year")))
        subject = self.subject()
        return Phrase(
            f"{subject.english} waited for {number} {many}",
            f"{subject.gloss} WAIT FINISH FOR {many[:-1].upper()} {number}",
        )

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
        return Phrase(
            f"what {subject.english} {form} is {thing.english}",
            f"{subject.gloss} {word.upper()} WHAT {thing.gloss}",
        )
