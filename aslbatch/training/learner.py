"""What is trained of a model: all of it, or an adapter and the embedding of one new token."""

from typing import Protocol

from torch import Tensor, nn
from transformers import MBartForConditionalGeneration

from aslbatch.training.examples import Batch
from aslbatch.training.loss import summed_loss


class Learner(Protocol):
    """What the training loop needs of a model.

    Attributes:
        model: The model, on its device.
        parameters: What is trained, by name.
    """

    model: MBartForConditionalGeneration
    parameters: dict[str, nn.Parameter]

    def loss(self, batch: Batch) -> Tensor:
        """Return the cross-entropy of a batch in nats, summed over target tokens."""

    def synchronize(self) -> None:
        """Put trained values where the model reads them; called after each change of them."""

    def merged(self) -> MBartForConditionalGeneration:
        """Return a plain model that gives what this one gives, in evaluation mode."""


class WholeModel:
    """Trains all parameters; see `Learner`."""

    def __init__(self, model: MBartForConditionalGeneration) -> None:
        self.model = model
        self.parameters: dict[str, nn.Parameter] = dict(model.named_parameters())

    def loss(self, batch: Batch) -> Tensor:
        """See `Learner`."""
        return summed_loss(self.model, batch)

    def synchronize(self) -> None:
        """See `Learner`; the model reads its parameters themselves."""

    def merged(self) -> MBartForConditionalGeneration:
        """See `Learner`; the model itself, and not a copy."""
        return self.model.eval()
