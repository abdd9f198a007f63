"""Names of languages: IANA subtags outside, mBART-50 codes inside.

`en` and `ase` (American Sign Language, here as gloss) are the names used in configurations and
output columns; a checkpoint knows them as `en_XX` and `asl_GL`. Any other language goes by its
mBART-50 code on both sides (Tang et al. 2020, https://arxiv.org/abs/2008.00401).
"""

ENGLISH_CODE = "en_XX"
GLOSS_CODE = "asl_GL"
"""The language code that an ASL gloss checkpoint adds to mBART-50."""

# fmt: off
LATIN_CODES = frozenset(
    [
        "af_ZA", "asl_GL", "az_AZ", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI",
        "fr_XX", "gl_ES", "hr_HR", "id_ID", "it_IT", "lt_LT", "lv_LV", "nl_XX", "pl_PL",
        "pt_XX", "ro_RO", "sl_SI", "sv_SE", "sw_KE", "tl_XX", "tr_TR", "vi_VN", "xh_ZA",
    ]
)
# fmt: on
"""Language codes of mBART-50, and the gloss code, whose texts are written in Latin script."""

_CODE_OF = {"en": ENGLISH_CODE, "ase": GLOSS_CODE}
_NAME_OF = {code: name for name, code in _CODE_OF.items()}


def mbart_code(name: str) -> str:
    """Return the mBART-50 code of a language name: `en` gives `en_XX`."""
    return _CODE_OF.get(name, name)


def language_name(code: str) -> str:
    """Return the name written into output rows: `asl_GL` gives `ase`, `de_DE` stays."""
    return _NAME_OF.get(code, code)
