"""LoRA and the embedding of one new language code, on a model that is otherwise frozen.

Adapters are PEFT's, in its format (Hu et al. 2021, https://arxiv.org/abs/2106.09685). The one row
is trained here: PEFT's way copies the whole embedding at each use and computes the gradient of all
its rows, of which all but one are thrown away; with mBART-50's 250,000 that doubles a step.
"""

import copy
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import MBartForConditionalGeneration

from aslbatch.training.examples import Batch
from aslbatch.training.loss import summed_loss
from aslbatch.training.quiet import peft_called

TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
ROW_NAME = "base_model.model.model.shared.token_adapter.trainable_tokens_delta"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_NAME = "default"
_ROW = "row"


class Adapter:
    """Trains LoRA matrices in all linear layers, and one row of the tied embeddings.

    See `aslbatch.training.learner.Learner`.
    """

    def __init__(
        self,
        model: MBartForConditionalGeneration,
        *,
        base: str,
        revision: str | None = None,
        token_id: int,
        rank: int,
        alpha: int,
        dropout: float,
        seed: int,
    ) -> None:
        """Put an adapter on a model, which gives what it gave until it is trained.

        Args:
            model: The base, on its device; changed in place.
            base: What finds the base again, for the adapter's configuration.
            revision: The commit of a base on the Hub.
            token_id: The row of the embeddings that is trained.
            rank: Inner width of the matrices.
            alpha: Their product is scaled by `alpha / rank`.
            dropout: Share of their input that is dropped in training.
            seed: Decides their random start.
        """
        torch.manual_seed(seed)
        self._config = LoraConfig(
            r=rank,
            lora_alpha=alpha,
            lora_dropout=dropout,
            bias="none",
            task_type="SEQ_2_SEQ_LM",
            target_modules=list(TARGETS),
        )
        self._base, self._revision = base, revision
        with peft_called():
            self._peft: PeftModel = get_peft_model(model, copy.deepcopy(self._config))
        base_model: Any = self._peft.get_base_model()
        self.model: MBartForConditionalGeneration = base_model
        self._token_id = token_id
        self._weight: Tensor = base_model.get_input_embeddings().weight
        self._row = nn.Parameter(self._weight[token_id].detach().float().clone())
        self.parameters: dict[str, nn.Parameter] = {
            name: parameter
            for name, parameter in base_model.named_parameters()
            if parameter.requires_grad
        } | {_ROW: self._row}
        for stack in (base_model.model.encoder, base_model.model.decoder):
            stack.embed_tokens.register_forward_hook(self._with_row)

    def loss(self, batch: Batch) -> Tensor:
        """See `Learner`."""
        return summed_loss(self.model, batch, (self._token_id, self._row))

    def synchronize(self) -> None:
        """Write the trained row into the embeddings; see `Learner`."""
        with torch.no_grad():
            self._weight[self._token_id] = self._row.to(self._weight.dtype)

    def merged(self) -> MBartForConditionalGeneration:
        """Return a copy with the adapter merged into it; see `Learner`."""
        # As float32: small changes of a bfloat16 base would be rounded away.
        whole = copy.deepcopy(self._peft).float()
        model: MBartForConditionalGeneration = whole.merge_and_unload()
        for stack in (model.model.encoder, model.model.decoder):
            stack.embed_tokens._forward_hooks.clear()
        return model.eval()

    def save(self, folder: Path) -> None:
        """Write the adapter as PEFT does that trains the row, so that PEFT loads it."""
        folder.mkdir(parents=True, exist_ok=True)
        config = copy.deepcopy(self._config)
        config.trainable_token_indices = [self._token_id]
        config.base_model_name_or_path, config.revision = self._base, self._revision
        config.inference_mode = True
        config.save_pretrained(str(folder))
        state: dict[str, Tensor] = get_peft_model_state_dict(self._peft, adapter_name=_NAME)
        state[ROW_NAME] = self._row.detach()[None]
        tensors = {name: value.float().cpu().contiguous() for name, value in state.items()}
        save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})

    def _with_row(self, module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        """Put the trained row where its token stands, so that gradients reach it."""
        (ids,) = inputs
        scale: float = module.embed_scale  # type: ignore[assignment]
        scaled = (self._row * scale).to(output.dtype)
        return torch.where((ids == self._token_id)[..., None], scaled, output)
