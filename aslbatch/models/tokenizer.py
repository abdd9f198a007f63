"""The mBART-50 tokenizer without its state, and with the added language codes.

`MBart50Tokenizer` of transformers 5 rebuilds `lang_code_to_id` from the 52 codes it was born
with, so that loading with an added code as `src_lang` raises KeyError; and it parses special
tokens that stand in the text, so that a subtitle with `</s>` in it would end the sentence.
Both are dealt with here and nowhere else: sentences are encoded without special tokens, special
ids are dropped, and the language and end tokens are put around them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from transformers import MBart50Tokenizer

from aslbatch.errors import ModelError
from aslbatch.models.engine import Tokens
from aslbatch.text.languages import GLOSS_CODE

_BUILT_IN = "en_XX"


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A sentence as a model reads it.

    Attributes:
        tokens: `[language, ..., </s>]`.
        truncated: Whether tokens were cut off to keep to the maximal length.
    """

    tokens: Tokens
    truncated: bool


class Tokenizer:
    """Encodes and decodes sentences of any language of a checkpoint; keeps no state between calls.

    Attributes:
        backend: The tokenizer of transformers, which has a state; leave it alone.
        pad_id: Id of `<pad>`.
        eos_id: Id of `</s>`.
        special_ids: Ids of all special tokens and language codes.
    """

    def __init__(self, backend: MBart50Tokenizer) -> None:
        self.backend = backend
        self.pad_id: int = backend.pad_token_id
        self.eos_id: int = backend.eos_token_id
        self._unk_id: int = backend.unk_token_id
        gloss = backend.convert_tokens_to_ids(GLOSS_CODE)
        codes = {*backend.lang_code_to_id.values(), gloss} - {None}
        self.special_ids = frozenset(backend.all_special_ids) | codes
        self._dropped = self.special_ids - {self._unk_id}

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Load the tokenizer of a checkpoint folder.

        Raises:
            ModelError: The files are not those of an mBART-50 tokenizer.
        """
        try:
            backend = MBart50Tokenizer.from_pretrained(
                folder, src_lang=_BUILT_IN, tgt_lang=None, local_files_only=True
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{folder}: not an mBART-50 tokenizer ({error}); expected tokenizer.json or "
                f"sentencepiece.bpe.model as MBart50Tokenizer.save_pretrained writes them"
            ) from error
        return cls(backend)

    def __len__(self) -> int:
        return len(self.backend)

    def has_language(self, code: str) -> bool:
        """Return whether the checkpoint knows a language code."""
        return self._id(code) is not None

    def language_id(self, code: str) -> int:
        """Return the token id of a language code.

        Raises:
            ModelError: The checkpoint does not know the code.
        """
        token_id = self._id(code)
        if token_id is None:
            known = ", ".join(sorted(self.backend.lang_code_to_id))
            raise ModelError(
                f"the checkpoint has no language code {code!r}; it knows {known}"
                + (f", {GLOSS_CODE}" if self.has_language(GLOSS_CODE) else "")
            )
        return token_id

    def encode(self, texts: Sequence[str], lang: str, max_length: int) -> list[EncodedText]:
        """Encode sentences of one language.

        Args:
            texts: The sentences; special tokens that stand in them are dropped.
            lang: mBART-50 code of their language.
            max_length: Most tokens a sentence, language and end token included; what is over
                is cut off.
        """
        if not texts:
            return []
        first = self.language_id(lang)
        rows = self._ids(texts)
        encoded = []
        for row in rows:
            kept = row[: max_length - 2]
            encoded.append(EncodedText([first, *kept, self.eos_id], len(kept) < len(row)))
        return encoded

    def decode(self, rows: Sequence[Tokens]) -> list[str]:
        """Return the text of each row of token ids, special tokens dropped."""
        content = self._without(self.special_ids, rows)
        texts: list[str] = self.backend.batch_decode(content, clean_up_tokenization_spaces=False)
        return [text.strip() for text in texts]

    @cached_property
    def pieces(self) -> list[str]:
        """All tokens as strings, in the order of their ids."""
        found: list[str] = self.backend.convert_ids_to_tokens(list(range(len(self))))
        return found

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each token; of tokens that are written alike, the first."""
        found: dict[str, int] = {}
        for index, piece in enumerate(self.pieces):
            found.setdefault(piece, index)
        return found

    def ids_in(self, texts: Sequence[str]) -> set[int]:
        """Return the tokens that occur in texts, special ones left out."""
        return set(chain.from_iterable(self._ids(texts))) if texts else set()

    def _ids(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the token ids of texts, without the special tokens that stand in them."""
        rows: list[Tokens] = self.backend(
            [text.strip() for text in texts],
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )["input_ids"]
        return self._without(self._dropped, rows)

    def _without(self, dropped: frozenset[int], rows: Sequence[Tokens]) -> list[Tokens]:
        """Return rows without some tokens; searched all at once, for hardly any row has one."""
        flat = np.fromiter(chain.from_iterable(rows), np.int64)
        found = np.isin(flat, list(dropped))
        if not found.any():
            return list(rows)
        ends = np.cumsum([len(row) for row in rows])
        touched = set(np.searchsorted(ends, np.flatnonzero(found), side="right").tolist())
        return [
            [token for token in row if token not in dropped] if index in touched else row
            for index, row in enumerate(rows)
        ]

    def without_special(self, row: Tokens) -> Tokens:
        """Return a row of token ids without its special tokens; `<unk>` stays."""
        return [token for token in row if token not in self._dropped]

    def _id(self, code: str) -> int | None:
        token_id: int | None = self.backend.convert_tokens_to_ids(code)
        return None if token_id is None or token_id == self._unk_id else token_id
