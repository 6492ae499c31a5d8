"""The update that tasks with one network and one target an example share."""

from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.network.inputs import reading
from pipeline.training.augmentation import augment
from pipeline.training.optimizer import Optimizer
from pipeline.training.options import TrainOptions


class SupervisedTask(ABC):
    """One update and one validation step: inputs (N, *shape) and targets (N,) as stored, on the device of ``model``.

    The model is on its device before: an optimiser may keep tensors there from the start.
    """

    def __init__(self, model: nn.Module, meta: Meta, options: TrainOptions, num_steps: int) -> None:
        self.model, self.options = model, options
        self.read = reading(meta).to(next(model.parameters()).device)
        self.optimizer = Optimizer(model.parameters(), options, num_steps)

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The scalar to minimise, from the network's outputs (N, num_outputs) and the targets (N,)."""

    @abstractmethod
    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Validation metrics of a batch, each a mean over its examples."""

    def update(self, inputs: Tensor, targets: Tensor, step: int) -> dict[str, Tensor]:
        """Take one step; returns the losses (detached scalars, on the device)."""
        if inputs.dtype == torch.uint8:
            inputs = augment(inputs, self.options.augment)
        with self._precision(inputs.device):
            outputs = self.model(self.read(inputs))
        loss = self.loss(outputs.float(), targets)
        self.optimizer.minimize(loss, step)
        return {"loss": loss.detach()}

    def validate(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Measure a batch in float32, as the model will be used; returns scalars on the device."""
        return self.measure(self.model(self.read(inputs)), targets)

    def _precision(self, device: torch.device) -> Any:
        return torch.autocast(device.type, torch.bfloat16) if self.options.precision == "bf16" else nullcontext()

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
