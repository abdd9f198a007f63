"""What a checkpoint's generation settings ask of a search, beyond what a job says itself.

transformers reads them from generation_config.json, or, where there is none, from config.json.
"""

import json
from pathlib import Path
from typing import Any

from aslbatch.errors import ModelError

# fmt: off
_SET_BY_THE_JOB = frozenset([
    "num_beams", "num_return_sequences", "max_length", "max_new_tokens", "length_penalty",
    "do_sample", "temperature", "top_k", "top_p", "top_h", "min_p", "typical_p",
    "epsilon_cutoff", "eta_cutoff", "forced_bos_token_id", "forced_eos_token_id",
    "decoder_start_token_id", "bos_token_id", "eos_token_id", "pad_token_id", "use_cache",
    "cache_implementation", "cache_config", "return_dict_in_generate", "output_scores",
    "output_logits", "output_attentions", "output_hidden_states", "transformers_version",
    "_from_model_config", "_commit_hash",
])
# fmt: on
_NEUTRAL = {
    "early_stopping": (True,),
    "repetition_penalty": (1.0,),
    "encoder_repetition_penalty": (1.0,),
    "guidance_scale": (1.0,),
    "num_beam_groups": (1,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "min_length": (0,),
    "min_new_tokens": (0,),
    "diversity_penalty": (0.0,),
    "bad_words_ids": (),
    "force_words_ids": (),
    "constraints": (),
    "sequence_bias": (),
    "suppress_tokens": ([],),
    "begin_suppress_tokens": ([],),
    "forced_decoder_ids": ([],),
    "exponential_decay_length_penalty": (),
    "renormalize_logits": (False,),
    "remove_invalid_values": (False,),
}
"""Settings of a search with the values, beside null, that leave it as it is."""


def effective_settings(folder: Path) -> dict[str, Any]:
    """Return the settings that make a search other than plain beam search with early stopping.

    Args:
        folder: The checkpoint's folder.

    Raises:
        ModelError: A file of settings is damaged.
    """
    path = folder / "generation_config.json"
    if path.exists():
        settings = _read(path)
    else:  # of a whole model, so that only what is known to be a setting counts
        model = _read(folder / "config.json")
        settings = {key: value for key, value in model.items() if key in _NEUTRAL}
    return {
        key: value
        for key, value in settings.items()
        if key not in _SET_BY_THE_JOB and value is not None and not _is_neutral(key, value)
    }


def _is_neutral(key: str, value: object) -> bool:
    return value in _NEUTRAL[key] if key in _NEUTRAL else not value


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: not JSON ({error}); restore it") from error
    return settings if isinstance(settings, dict) else {}
