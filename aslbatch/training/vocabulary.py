"""A vocabulary learned from text, as an mBART-50 tokenizer."""

import io
from collections.abc import Iterable

import sentencepiece
from transformers import MBart50Tokenizer

from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE

_LONGEST_PIECE = 14


def learn_unigrams(texts: Iterable[str], size: int) -> list[tuple[str, float]]:
    """Train a unigram model (Kudo 2018, https://aclanthology.org/P18-1007).

    Args:
        texts: Lines of all languages.
        size: Pieces, three special ones among them.

    Returns:
        Pieces, `▁` for a word's beginning, with log-probabilities, without special ones.

    Raises:
        ValueError: The texts do not hold as many pieces.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            model_type="unigram",
            vocab_size=size,
            character_coverage=1.0,
            split_by_unicode_script=False,
            max_sentencepiece_length=_LONGEST_PIECE,
            normalization_rule_name="identity",
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise ValueError(f"no vocabulary of {size} pieces can be learned ({error})") from error
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [
        (processor.id_to_piece(index), processor.get_score(index))
        for index in range(processor.get_piece_size())
        if not processor.is_control(index) and not processor.is_unknown(index)
    ]


def tokenizer_of(pieces: Iterable[tuple[str, float]]) -> MBart50Tokenizer:
    """Make an mBART-50 tokenizer of pieces and their scores, with the code for gloss added."""
    head = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    tokenizer = MBart50Tokenizer(
        vocab=[*head, *pieces], src_lang=ENGLISH_CODE, bos_token="<s>", eos_token="</s>"
    )
    add_gloss_code(tokenizer)
    return tokenizer


def add_gloss_code(tokenizer: MBart50Tokenizer) -> None:
    """Add the code for gloss, as a special token: as a plain one it would stand in texts."""
    tokenizer.add_special_tokens(
        {"extra_special_tokens": [GLOSS_CODE]}, replace_extra_special_tokens=False
    )
