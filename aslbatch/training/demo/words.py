# ruff: noqa: SIM905  a word list reads better as text than as a list of strings
"""Invented words: what teaches the demo model to spell a word that it has never seen."""

import random
import string

_ONSETS = """
b bl br c ch cl cr d dr f fl fr g gl gr h j k kl kn l m n p ph pl pr qu r s sc sh sk sl sm sn
sp st str sw t th tr tw v w wh wr y z
""".split()
_VOWELS = "a a a e e e i i i o o o u u ai au ay ea ee ei ey ie oa oi oo ou ow oy ue y".split()
_CODAS = [
    "",
    "",
    "",
    "",
    *"""
b ck ct d ft g gh l ld ll lt m mp n nd ng nk nt p pt r rd rk rm rn rt s sh sk sp ss st t tch
th tt v w x z
""".split(),
]
_PREFIXES = """
anti de dis ex fore in inter mis non out over post pre pro re semi sub super un up
""".split()
_SUFFIXES = """
able al ance ate dom ed en er ery ess est ful ic ing ion ish ism ist ity ive ize less let ly
ment ness or ous ry s ship sion some tion ty ure ward y
""".split()
_NAME_ENDINGS = """
a ana berg by elle er ez ford ia ina is ko lyn man ova o s son ston ton us ville
""".split()
_LETTER_WEIGHTS = [8, 2, 4, 4, 11, 2, 3, 3, 8, 1, 2, 6, 3, 7, 7, 3, 1, 7, 6, 7, 4, 1, 2, 1, 2, 1]
_ACCENTS = {"a": "áàâä", "c": "ç", "e": "éèê", "i": "íï", "n": "ñ", "o": "óö", "u": "ü"}


class InventedWords:
    """A stream of words that no lexicon holds; the same generator state gives the same words."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def word(self) -> str:
        """Returns a lower-case word: pronounceable, English-looking or random letters."""
        draw = self._rng.random()
        if draw < 0.35:
            return self._accented(self._syllables(self._rng.choice((1, 2, 2, 2, 3))))
        return self._derived() if draw < 0.75 else self._letters()

    def plural(self) -> str:
        """Returns a lower-case word that looks like a plural."""
        word = self.word()
        return word if word.endswith("s") else word + "s"

    def name(self) -> str:
        """Returns a capitalized name."""
        rng = self._rng
        draw = rng.random()
        if draw < 0.5:
            word = self._syllables(rng.choice((1, 2, 2, 3))) + rng.choice(("", *_NAME_ENDINGS))
        elif draw < 0.8:
            word = self.word()
        else:
            word = self._letters()
        return word[0].upper() + word[1:]

    def acronym(self) -> str:
        """Returns two to five capital letters."""
        letters = self._rng.choices(string.ascii_uppercase, k=self._rng.choice((2, 3, 3, 4, 5)))
        return "".join(letters)

    def number(self) -> str:
        """Returns a number in digits: small counts, years, prices, long numbers."""
        rng = self._rng
        top = rng.choice((12, 12, 100, 100, 1000, 10000, 1000000))
        return str(rng.randint(1900, 2099) if rng.random() < 0.15 else rng.randint(0, top))

    def _derived(self) -> str:
        rng = self._rng
        prefix = rng.choice(_PREFIXES) if rng.random() < 0.3 else ""
        suffix = rng.choice(_SUFFIXES) if rng.random() < 0.75 else ""
        return prefix + self._syllables(rng.choice((1, 1, 1, 2))) + suffix

    def _accented(self, word: str) -> str:
        """Put an accent on one letter, once in thirty words."""
        at = self._rng.randrange(len(word))
        marks = _ACCENTS.get(word[at])
        if marks is None or self._rng.random() > 0.06:
            return word
        return word[:at] + self._rng.choice(marks) + word[at + 1 :]

    def _syllables(self, count: int) -> str:
        rng = self._rng
        return "".join(
            rng.choice(_ONSETS)
            + rng.choice(_VOWELS)
            + rng.choice(_CODAS if i == count - 1 else _CODAS[:24])
            for i in range(count)
        )

    def _letters(self) -> str:
        length = self._rng.choice((2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9, 10))
        return "".join(self._rng.choices(string.ascii_lowercase, _LETTER_WEIGHTS, k=length))
