"""One linear layer: the baseline that every other model must beat, and linear regression."""

import math

from torch import Tensor, nn

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec

READS = ("image", "table")
TASKS = ("classification", "regression")


class Options(Schema):
    """A linear model has no options."""


class Model(nn.Module):
    """(N, *shape) -> (N, num_outputs): class scores (logits), or the predicted number."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        self.layer = nn.Linear(math.prod(spec.shape), spec.num_outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs.flatten(1))
