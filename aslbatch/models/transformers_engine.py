"""The reference engine: transformers' own `generate`, as the model card decodes."""

import copy
from collections.abc import Sequence

import torch
import transformers
from transformers import GenerationConfig

from aslbatch.models.decoding import Decoding
from aslbatch.models.engine import Batching, Hypothesis, Tokens
from aslbatch.models.loading import LoadedModel
from aslbatch.models.memory import memory_told_apart
from aslbatch.models.seeds import seed_of

_MAX_TOKENS = {"cpu": 1_024, "cuda": 16_384}
"""On a CPU larger batches gain little and cost memory; an accelerator needs hundreds at once."""


class TransformersEngine:
    """Translates with `MBartForConditionalGeneration.generate`.

    Every other engine is measured against this one. The settings that a `Decoding` names are
    passed explicitly; those it does not name come from the checkpoint's generation_config.json,
    as they would in the model card's own loop.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._device = loaded.model.device
        precision = str(loaded.model.dtype).removeprefix("torch.")
        self.batching = Batching(_MAX_TOKENS[self._device.type])
        self.full = None
        self.name = f"transformers:{transformers.__version__}|{precision}|{self._device.type}"

    @torch.inference_mode()
    def translate(
        self, batch: Sequence[Tokens], *, target_lang: str, decoding: Decoding
    ) -> list[list[Hypothesis]]:
        """Translate one batch; see `aslbatch.models.engine.Engine`."""
        if decoding.do_sample:
            torch.manual_seed(seed_of(batch, decoding.seed))
        inputs, mask = self._pad(batch)
        settings = self._settings(target_lang, decoding)
        with memory_told_apart():
            output = self._model.generate(
                input_ids=inputs, attention_mask=mask, generation_config=settings
            )
            scores = getattr(output, "sequences_scores", None)
            if scores is None:
                scores = self._score(inputs, mask, output.sequences, decoding)
        hypotheses = [
            self._hypothesis(tokens, score, decoding.max_length)
            for tokens, score in zip(output.sequences.tolist(), scores.tolist(), strict=True)
        ]
        n = decoding.num_return_sequences
        return [hypotheses[i : i + n] for i in range(0, len(hypotheses), n)]

    @torch.inference_mode()
    def force(
        self, batch: Sequence[Tokens], *, target_lang: str, decoding: Decoding, length: int
    ) -> None:
        """Decode tokens to take the time; see `aslbatch.models.engine.Engine`."""
        inputs, mask = self._pad(batch)
        settings = self._settings(target_lang, decoding)
        settings.update(
            max_length=None, min_new_tokens=length, max_new_tokens=length, output_scores=False
        )
        with memory_told_apart():
            self._model.generate(input_ids=inputs, attention_mask=mask, generation_config=settings)

    def _pad(self, batch: Sequence[Tokens]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return token ids and attention mask, both int64 [sentences, longest]."""
        longest = max(map(len, batch))
        pad = self._tokenizer.pad_id
        inputs = torch.tensor([row + [pad] * (longest - len(row)) for row in batch])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
        return inputs.to(self._device), mask.to(self._device)

    def _settings(self, target_lang: str, decoding: Decoding) -> GenerationConfig:
        settings = copy.deepcopy(self._model.generation_config)
        early_stopping = settings.early_stopping
        settings.update(
            num_beams=decoding.num_beams,
            num_return_sequences=decoding.num_return_sequences,
            max_length=decoding.max_length,
            max_new_tokens=None,
            length_penalty=decoding.length_penalty,
            # mBART's own configurations leave it out, and were all decoded with True.
            early_stopping=True if early_stopping is None else early_stopping,
            do_sample=decoding.do_sample,
            temperature=decoding.temperature if decoding.do_sample else None,
            top_k=decoding.top_k if decoding.do_sample else None,
            top_p=decoding.top_p if decoding.do_sample else None,
            forced_bos_token_id=self._tokenizer.language_id(target_lang),
            decoder_start_token_id=self._tokenizer.eos_id,
            forced_eos_token_id=self._tokenizer.eos_id,
            eos_token_id=self._tokenizer.eos_id,
            pad_token_id=self._tokenizer.pad_id,
            return_dict_in_generate=True,
            output_scores=decoding.num_beams > 1,
        )
        if decoding.num_beams == 1:
            settings.update(early_stopping=None, length_penalty=None)
        return settings

    def _score(
        self,
        inputs: torch.Tensor,
        mask: torch.Tensor,
        sequences: torch.Tensor,
        decoding: Decoding,
    ) -> torch.Tensor:
        """Return what `sequences_scores` would be, which generate leaves out without beams.

        Tokens that the search was forced to (the language; the end at `max_length`) have
        log-probability 0, as they have in beam search.

        Args:
            inputs: int64 [sentences, source length].
            mask: int64, of the same shape.
            sequences: int64 [sentences * num_return_sequences, target length].
            decoding: The settings that made the sequences.
        """
        n = decoding.num_return_sequences
        hidden = self._model.model(
            input_ids=inputs.repeat_interleave(n, 0),
            attention_mask=mask.repeat_interleave(n, 0),
            decoder_input_ids=sequences[:, :-1],
        ).last_hidden_state
        scores = torch.zeros(len(sequences))
        for row, (states, tokens) in enumerate(zip(hidden, sequences, strict=True)):
            length = int((tokens[1:] != self._tokenizer.pad_id).sum())
            last = length - 1 if length + 1 == decoding.max_length else length
            logits = self._model.lm_head(states[1:last]) + self._model.final_logits_bias
            chosen = tokens[2 : last + 1, None]
            log_probs = torch.log_softmax(logits.float(), -1).gather(-1, chosen)
            scores[row] = log_probs.sum() / length**decoding.length_penalty
        return scores

    def _hypothesis(self, sequence: Tokens, score: float, max_length: int) -> Hypothesis:
        length = sum(token != self._tokenizer.pad_id for token in sequence)
        return Hypothesis(
            tokens=self._tokenizer.without_special(sequence),
            score=score,
            complete=length < max_length,
        )
