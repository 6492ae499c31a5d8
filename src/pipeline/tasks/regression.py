"""Learn to predict a number."""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.training.task import SupervisedTask

#: Validation metric -> which of two values is better.
METRICS = {"val_loss": min, "val_mae": min}


class MeanSquaredError(Schema):
    """Mean squared error between prediction and target, in squared units of the target."""

    name: Literal["mse"]


class Options(Schema):
    """The part of ``runs.<run>.train`` that this task defines."""

    loss: MeanSquaredError


def check(spec: DataSpec) -> None:
    """Raise ``ValueError`` unless the target is a number."""
    if spec.num_classes:
        raise ValueError("regression needs a number as target, and this data set has classes: use task: classification")


class Task(SupervisedTask):
    """Networks return predictions (N, 1), targets are float32 (N,)."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(outputs[:, 0], targets)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {"loss": F.mse_loss(outputs[:, 0], targets), "mae": F.l1_loss(outputs[:, 0], targets)}
