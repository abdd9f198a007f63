"""Whether a merged model translates with CTranslate2 as it does with transformers."""

from collections.abc import Sequence
from pathlib import Path

from aslbatch.errors import MergeError
from aslbatch.models.conversion import convert_apart
from aslbatch.models.ctranslate2_loading import load_ctranslate2
from aslbatch.models.tokenizer import Tokenizer
from aslbatch.training.merge_gate import DECODING, Searched


def check_conversion(merged: Path, target: Path, searched: Sequence[Searched]) -> None:
    """Convert a merged model, and translate again what the gate has found.

    Args:
        merged: The model, float32.
        target: The folder for the converted one; it and the one around it are made.
        searched: Translations of the model by transformers, all into one language.

    Raises:
        MergeError: They come out otherwise.
    """
    target.parent.mkdir()  # its locks lie beside that folder
    convert_apart(merged, target, "float32")
    engine = load_ctranslate2(
        target,
        Tokenizer.load(merged),
        precision="float32",
        device="cpu",
        threads=1,
        shortlist=None,
        target_ratio=None,
    )
    found = engine.translate(
        [each.source for each in searched],
        target_lang=searched[0].target_lang,
        decoding=DECODING,
    )
    ours, theirs = [best[0].tokens for best in found], [each.tokens for each in searched]
    if ours != theirs:
        raise MergeError(
            f"{merged}: CTranslate2 does not translate the probes as transformers does: {ours}, "
            f"expected {theirs}; install the versions in constraints.txt, and merge again"
        )
