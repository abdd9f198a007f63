"""Names of languages: IANA subtags outside, mBART-50 codes inside.

`en` and `ase` (American Sign Language, here as gloss) are the names used in configurations and
output columns; a checkpoint knows them as `en_XX` and `asl_GL`. Any other language goes by its
mBART-50 code on both sides (Tang et al. 2020, https://arxiv.org/abs/2008.00401).
"""

GLOSS_CODE = "asl_GL"
"""The language code that an ASL gloss checkpoint adds to mBART-50."""

_CODE_OF = {"en": "en_XX", "ase": GLOSS_CODE}
_NAME_OF = {code: name for name, code in _CODE_OF.items()}


def mbart_code(name: str) -> str:
    """Return the mBART-50 code of a language name: `en` gives `en_XX`."""
    return _CODE_OF.get(name, name)


def language_name(code: str) -> str:
    """Return the name written into output rows: `asl_GL` gives `ase`, `de_DE` stays."""
    return _NAME_OF.get(code, code)
