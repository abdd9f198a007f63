"""Vocabulary shortlists: the tokens that a translation into one language can need.

mBART-50 scores 250,055 tokens at every step, of which English and gloss reach a fraction; on a CPU
that is more than half of the work. A shortlist leaves out the others (Jean et al. 2015,
https://aclanthology.org/P15-1001). It is not exact: probabilities are normalized over fewer tokens.
So a run that uses one translates a sample without it and compares, see `aslbatch.stages.audit`.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from aslbatch.errors import ModelError
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.provenance.hashing import sha256_json
from aslbatch.text.languages import LATIN_CODES

SCRIPTS = ("latin", "ascii")
_WORD_START = "\N{LOWER ONE EIGHTH BLOCK}"
_SHORT = 3
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Tokens that may be generated.

    Attributes:
        name: `latin`, `ascii`, or `text` where a file says which.
        ids: Token ids, ascending, special tokens and language codes among them.
    """

    name: str
    ids: tuple[int, ...]

    def __str__(self) -> str:
        return f"shortlist {self.name} of {len(self.ids):,} tokens"

    @property
    def signature(self) -> str:
        """Name and hash of the list, for provenance."""
        return f"{self.name}:{sha256_json({'ids': list(self.ids)})[:8]}"


def make_shortlist(wanted: str, tokenizer: Tokenizer, target_lang: str) -> Shortlist | None:
    """Return the shortlist that a configuration asks for.

    Args:
        wanted: `off`; `latin` or `ascii` for all tokens in that script; `auto`, which is `latin`
            where the target language is written so, else `off`; or the path of a text file in the
            target language, whose tokens are kept in all cases, with all short tokens in its
            scripts.
        tokenizer: The tokenizer of the checkpoint.
        target_lang: mBART-50 code.

    Returns:
        The list; None where there is none, or where it would leave nothing out.

    Raises:
        ModelError: The file cannot be read, or is not UTF-8.
    """
    if wanted == "auto":
        wanted = "latin" if target_lang in LATIN_CODES else "off"
    if wanted == "off":
        return None
    pieces = tokenizer.pieces
    if wanted in SCRIPTS:
        name, kept = wanted, {i for i, p in enumerate(pieces) if _is_written_in(wanted, p)}
    else:
        name, kept = "text", _of_text(Path(wanted), tokenizer)
    kept |= tokenizer.special_ids
    return Shortlist(name, tuple(sorted(kept))) if len(kept) < len(pieces) else None


def _of_text(path: Path, tokenizer: Tokenizer) -> set[int]:
    """Return the tokens of a text in all cases, and the short ones that spell the rest."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"model.shortlist {str(path)!r}: cannot be read ({error}); expected auto, off, latin, "
            f"ascii, or a UTF-8 text file in the target language"
        ) from error
    words = sorted({word for line in lines for word in _SPACES.split(line) if word})
    cases = (str, str.lower, str.upper, str.title)
    kept: set[int] = set()
    for case in cases:
        kept |= tokenizer.ids_in([case(word) for word in words])
    scripts = _scripts("".join(words))
    return kept | {
        index
        for index, piece in enumerate(tokenizer.pieces)
        if len(piece.removeprefix(_WORD_START)) <= _SHORT and _scripts(piece) <= scripts
    }


def _scripts(text: str) -> set[str]:
    """Return the scripts of a text's letters and digits, by the first word of their names."""
    letters = {c for c in text if not c.isascii() and unicodedata.category(c)[0] in "LN"}
    found = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
    return found | {"LATIN"} if any(c.isascii() and c.isalpha() for c in text) else found


def _is_written_in(script: str, piece: str) -> bool:
    text = piece.removeprefix(_WORD_START)
    if text.isascii():
        return True
    return script == "latin" and all(_is_latin_or_common(character) for character in text)


def _is_latin_or_common(character: str) -> bool:
    """Return whether a character is a Latin letter, or punctuation or a sign of no script."""
    if character.isascii():
        return True
    if unicodedata.category(character)[0] in "LMN":
        return unicodedata.name(character, "").startswith(("LATIN", "COMBINING", "MODIFIER"))
    return True
