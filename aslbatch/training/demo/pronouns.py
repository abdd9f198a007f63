"""English pronouns and the points that sign them."""

from typing import NamedTuple


class Pronoun(NamedTuple):
    """The cases of an English pronoun and the tail of its point sign."""

    subject: str
    object: str
    possessive: str
    point: str
    person: str


PRONOUNS = (
    Pronoun("I", "me", "my", "1", "i"),
    Pronoun("you", "you", "your", "2", "p"),
    Pronoun("he", "him", "his", "HE", "s"),
    Pronoun("she", "her", "her", "SHE", "s"),
    Pronoun("it", "it", "its", "IT", "s"),
    Pronoun("we", "us", "our", "WE", "p"),
    Pronoun("they", "them", "their", "THEY", "p"),
)
