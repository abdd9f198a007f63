"""The mixture of lines that the demo model is trained on, endless and seeded."""

import random
import re
import zlib
from collections.abc import Callable, Iterator

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.function_words import FUNCTION_WORDS
from aslbatch.training.demo.grammar import Grammar, Pair
from aslbatch.training.demo.probes import known_words
from aslbatch.training.demo.salad import Salad
from aslbatch.training.demo.words import InventedWords

_MAX_JOINED = 5
_HELD_OUT_OF = 20
_DECORATED = 0.04
_SYMBOLS = ("\N{THUMBS UP SIGN}", "\N{GRINNING FACE}", "\N{EIGHTH NOTE}", "\N{HEAVY BLACK HEART}")
_NOT_WORDS = re.compile(r"[^a-z0-9 ]")


def is_held_out(english: str) -> bool:
    """Return whether a line belongs to the twentieth that is never trained on.

    Decided by a checksum of the bare words, so that another case or mark does not let it in.
    """
    words = _NOT_WORDS.sub("", english.lower())
    return zlib.crc32(words.encode()) % _HELD_OUT_OF == 0


class PairStream:
    """Draws training pairs; the two directions see different mixtures.

    Args:
        seed: The same seed gives the same stream.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._plain = Grammar(self._rng)
        self._canonical = Grammar(self._rng, invented_rate=0.15)
        self._varied = Grammar(self._rng, invented_rate=0.3, varied=True)
        self._salad = Salad(self._rng)
        self._invented = InventedWords(self._rng)

    def forward(self) -> Pair:
        """Draw a pair for English to gloss: any wording, any noise, lines of 1 to 60 words."""
        return self._decorated(self._line())

    def _line(self) -> Pair:
        draw = self._rng.random()
        if draw < 0.22:
            pair = _seen(self._plain.sentence)
        elif draw < 0.48:
            pair = _seen(self._varied.sentence)
        elif draw < 0.78:
            pair = _seen(self._salad.line)
        elif draw < 0.85:
            pair = self._salad.copies()
        elif draw < 0.95:
            pair = self._joined([self._any() for _ in range(self._rng.randint(2, _MAX_JOINED))])
        else:
            pair = self._short()
        return self._disguised(pair)

    def backward(self) -> Pair:
        """Draw a pair for gloss to English: canonical sentences, one or two in a line."""
        draw = self._rng.random()
        if draw < 0.6:
            return _seen(self._plain.sentence)
        if draw < 0.93:
            return _seen(self._canonical.sentence)
        return self._joined([_seen(self._plain.sentence) for _ in range(2)])

    def held_out(self, count: int, varied: bool = False) -> list[Pair]:
        """Draw `count` distinct sentences of the grammar that no stream trains on."""
        grammar = Grammar(self._rng, varied=varied)
        pairs: dict[str, Pair] = {}
        while len(pairs) < count:
            pair = grammar.sentence()
            if is_held_out(pair.english):
                pairs.setdefault(pair.english, pair)
        return list(pairs.values())

    def with_invented(self, count: int) -> list[tuple[Pair, list[str]]]:
        """Draw sentences of the grammar with the invented words that stand in them."""
        grammar = Grammar(self._rng, invented_rate=0.4)
        known = self.known_words()
        drawn: list[tuple[Pair, list[str]]] = []
        while len(drawn) < count:
            pair = grammar.sentence()
            signs = [sign.removeprefix("#") for sign in pair.gloss.split()]
            words = [sign for sign in signs if sign.isalpha() and sign.lower() not in known]
            if words and is_held_out(pair.english):
                drawn.append((pair, words))
        return drawn

    def known_words(self) -> set[str]:
        """Return the lower-cased words of the lexicon in every form that the streams write."""
        rng = random.Random(0)
        plain, varied = Grammar(rng), Grammar(rng, varied=True)
        lines = (text for _ in range(20_000) for text in (*plain.sentence(), *varied.sentence()))
        return known_words([*lines, *FUNCTION_WORDS])

    def texts(self, count: int) -> Iterator[str]:
        """Yield English and gloss lines, for the vocabulary."""
        for _ in range(count):
            yield from self._line()
            yield from self.backward()

    def _any(self) -> Pair:
        return _seen(self._varied.sentence if self._rng.random() < 0.55 else self._salad.line)

    def _joined(self, pairs: list[Pair]) -> Pair:
        return Pair(
            " ".join(pair.english for pair in pairs), " ".join(pair.gloss for pair in pairs)
        )

    def _short(self) -> Pair:
        rng = self._rng
        draw = rng.random()
        mark = rng.choice((".", "!", "", "..."))
        if draw < 0.4:
            word, sign = rng.choice(list(lexicon.INTERJECTIONS.items()))
            return Pair(word[0].upper() + word[1:] + mark, sign)
        if draw < 0.6:
            name = self._varied.name()
            return Pair(name.english + mark, name.gloss)
        if draw < 0.7:
            number = self._invented.number()
            return Pair(number + mark, number)
        nouns = lexicon.THINGS + lexicon.FOODS + lexicon.FEELINGS + lexicon.PLACES
        word = rng.choice(nouns) if draw < 0.85 else self._invented.word()
        english = word if rng.random() < 0.5 else word[0].upper() + word[1:]
        gloss = word.upper()
        if draw < 0.85:
            return Pair(english + mark, gloss)
        return Pair(word + mark, gloss)

    def _decorated(self, pair: Pair) -> Pair:
        """Put a symbol that the vocabulary lacks beside some lines; the gloss leaves it out."""
        if self._rng.random() > _DECORATED:
            return pair
        symbols = self._rng.choice(_SYMBOLS) * self._rng.choice((1, 1, 2, 3))
        english = (
            f"{pair.english} {symbols}" if self._rng.random() < 0.7 else f"{symbols} {pair.english}"
        )
        return Pair(english, pair.gloss)

    def _disguised(self, pair: Pair) -> Pair:
        draw = self._rng.random()
        if "#" in pair.gloss or draw > 0.05:
            return pair
        return Pair(pair.english.upper() if draw < 0.025 else pair.english.lower(), pair.gloss)


def _seen(draw: Callable[[], Pair]) -> Pair:
    while is_held_out((pair := draw()).english):
        pass
    return pair
