# ruff: noqa: SIM905  a word list reads better as text than as a list of strings
"""English inflection for the words of the demo lexicon: plurals, verb forms, the right article."""

from typing import NamedTuple

_PLURALS = dict(
    entry.split("=")
    for entry in """man=men woman=women child=children mouse=mice fish=fish sheep=sheep
deer=deer knife=knives leaf=leaves wife=wives thief=thieves wolf=wolves shelf=shelves police=police
scissors=scissors potato=potatoes tomato=tomatoes""".split()
)

# base: (past, participle)
_IRREGULAR = {
    line.split()[0]: (line.split()[1], line.split()[2])
    for line in """
break broke broken;bring brought brought;build built built;buy bought bought;catch caught caught
choose chose chosen;cut cut cut;draw drew drawn;drink drank drunk;drive drove driven;eat ate eaten
fall fell fallen;fight fought fought;find found found;fly flew flown;forget forgot forgotten
get got gotten;give gave given;go went gone;grow grew grown;have had had;hear heard heard
hide hid hidden;hit hit hit;hold held held;keep kept kept;kneel knelt knelt;know knew known
leave left left;lend lent lent;lose lost lost;make made made;meet met met;pay paid paid
put put put;ride rode ridden;run ran run;say said said;see saw seen;sell sold sold;send sent sent
shake shook shaken;show showed shown;sing sang sung;sit sat sat;sleep slept slept;speak spoke spoken
stand stood stood;steal stole stolen;swim swam swum;take took taken;teach taught taught
tell told told;think thought thought;throw threw thrown;understand understood understood
wake woke woken;wear wore worn;win won won;write wrote written;come came come
""".replace("\n", ";")
    .strip(";")
    .split(";")
}
_DOUBLED = set("chop drop hit hug plan run sit stop swim wrap win cut get put stir forget".split())
_VOWELS = "aeiou"


class Verb(NamedTuple):
    """The five forms of an English verb and its sign."""

    base: str
    third: str
    past: str
    participle: str
    gerund: str
    sign: str


def plural(noun: str) -> str:
    """Returns the plural of a lexicon noun."""
    return _PLURALS.get(noun) or _with_s(noun)


def verb(base: str) -> Verb:
    """Builds all forms of a verb; of ``look for`` the first word is inflected."""
    head, _, particle = base.partition(" ")
    tail = f" {particle}" if particle else ""
    third = {"have": "has", "go": "goes"}.get(head, _with_s(head))
    past, participle = _IRREGULAR.get(head) or (_with_ed(head), _with_ed(head))
    sign = base.upper().replace(" ", "-")
    return Verb(base, third + tail, past + tail, participle + tail, gerund(head) + tail, sign)


def gerund(base: str) -> str:
    """Returns the -ing form."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe")):
        return base[:-1] + "ing"
    return base + (base[-1] if base in _DOUBLED else "") + "ing"


def with_article(phrase: str) -> str:
    """Puts ``a`` or ``an`` before a phrase, by its first letter."""
    silent = phrase.startswith(("hour", "honest"))
    vowel = phrase[0].lower() in _VOWELS and not phrase.lower().startswith(("us", "uni", "eu"))
    return f"an {phrase}" if vowel or silent else f"a {phrase}"


def _with_s(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh", "z")):
        return word + "es"
    if word.endswith("y") and word[-2] not in _VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def _with_ed(word: str) -> str:
    if word.endswith("e"):
        return word + "d"
    if word.endswith("y") and word[-2] not in _VOWELS:
        return word[:-1] + "ied"
    return word + (word[-1] if word in _DOUBLED else "") + "ed"
