"""Questions of the demo grammar: the question word, or ``QM``, is signed last."""

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.clauses import Clauses
from aslbatch.training.demo.phrases import Phrase
from aslbatch.training.demo.verbs import EDIBLE, INTRANSITIVE, TRANSITIVE

_WH = ("where", "when", "why", "how")


class Questions(Clauses):
    """Draws questions; their English ends in a question mark."""

    def polar_question(self) -> Phrase:
        """``Did you see him?`` is ``IX-2 SEE FINISH IX-HE QM``."""
        subject = self.subject()
        draw = self.rng.random()
        if draw < 0.2:
            adjective = self.adjective(lexicon.FEELINGS)
            be = {"i": "am", "s": "is", "p": "are"}[subject.person]
            return Phrase(
                f"{be} {subject.english} {adjective}?", f"{subject.gloss} {adjective.upper()} QM"
            )
        verb, rest = self.complement()
        sign = verb.sign or verb.base.upper()
        past = draw > 0.7
        auxiliary, before = "does" if subject.person == "s" else "do", ""
        if past:
            auxiliary, sign = "did", sign + " FINISH"
        elif draw > 0.55:
            auxiliary, signed = self.rng.choice([*lexicon.MODALS.items(), ("will", "WILL")])
            before = signed + " "
        return Phrase(
            f"{auxiliary} {subject.english} {verb.base} {rest.english}".strip() + "?",
            " ".join(f"{subject.gloss} {before}{sign} {rest.gloss} QM".split()),
        )

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
            return Phrase(
                f"how many {many.english} {auxiliary} {subject.english} {verb.base}?",
                f"{subject.gloss} {verb.sign or verb.base.upper()}{mark} {many.gloss} HOW-MANY",
            )
        if draw < 0.5:
            verb, word, rest = self.verb(TRANSITIVE + EDIBLE), "what", Phrase("", "")
        elif draw < 0.75:
            verb, word, rest = self.verb(INTRANSITIVE), self.rng.choice(_WH), Phrase("", "")
        else:
            word = self.rng.choice(_WH)
            verb, rest = self.complement()
        sign = f"{verb.sign or verb.base.upper()}{mark} {rest.gloss}".strip()
        tail = f" {rest.english}" if rest.english else ""
        return Phrase(
            f"{word} {auxiliary} {subject.english} {verb.base}{tail}?",
            f"{subject.gloss} {sign} {word.upper()}",
        )

    def where_is(self) -> Phrase:
        """``Where's my hat?`` is ``POSS-1 HAT WHERE``."""
        subject = self.owned(self.noun(lexicon.THINGS)) if self.chance(0.6) else self.subject()
        word = self.rng.choice(("where", "where", "what", "who", "how"))
        be = {"i": "am", "s": "is", "p": "are"}[subject.person]
        contracted = be == "is" and not (self.varied and self.chance(0.4))
        question = f"{word}'s" if contracted else f"{word} {be}"
        return Phrase(f"{question} {subject.english}?", f"{subject.gloss} {word.upper()}")
