"""Learn to tell classes apart."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema, parse
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.training.options import TrainOptions
from pipeline.training.task import SupervisedTask

#: Validation metric -> which of two values is better.
METRICS = {"val_loss": min, "val_accuracy": max}


class CrossEntropy(Schema):
    """Cross entropy between softmax and label; smoothing gives the other classes a share (Szegedy et al., 2015)."""

    name: Literal["cross_entropy"]
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)


class MeanSquaredError(Schema):
    """Mean over classes of the squared error between probabilities and the one-hot label (Brier score / classes)."""

    name: Literal["mse"]


class Options(Schema):
    """The part of ``runs.<run>.train`` that this task defines."""

    loss: Annotated[CrossEntropy | MeanSquaredError, Field(discriminator="name")]


def check(spec: DataSpec) -> None:
    """Raise ``ValueError`` unless the data have classes."""
    if not spec.num_classes:
        raise ValueError("classification needs classes, and this data set's target is a number: use task: regression")


class Task(SupervisedTask):
    """Networks return logits (N, num_classes), targets are int64 class indices (N,)."""

    def __init__(self, model: nn.Module, meta: Meta, options: TrainOptions, num_steps: int) -> None:
        super().__init__(model, meta, options, num_steps)
        self.loss_options = parse(Options, {"loss": options.loss}, "train").loss

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if isinstance(self.loss_options, CrossEntropy):
            return F.cross_entropy(outputs, targets, label_smoothing=self.loss_options.label_smoothing)
        return self._brier(outputs, targets)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        # Without smoothing: val_loss compares across runs that smooth differently.
        plain = isinstance(self.loss_options, CrossEntropy)
        loss = F.cross_entropy(outputs, targets) if plain else self._brier(outputs, targets)
        return {"loss": loss, "accuracy": (outputs.argmax(1) == targets).float().mean()}

    @staticmethod
    def _brier(outputs: Tensor, targets: Tensor) -> Tensor:
        # one_hot would look at the labels to count them, which waits for the device.
        one_hot = (targets[:, None] == torch.arange(outputs.shape[1], device=outputs.device)).float()  # (N, K)
        return F.mse_loss(outputs.softmax(1), one_hot)
