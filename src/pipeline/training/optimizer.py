"""From a loss to changed weights."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.training import schedules
from pipeline.training.options import TrainOptions

CLASSES: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


class Optimizer:
    """An optimiser with the learning rate's schedule and gradient clipping; a task may have several."""

    def __init__(self, parameters: Iterable[nn.Parameter], options: TrainOptions, num_steps: int) -> None:
        self.parameters = list(parameters)
        self.options, self.num_steps = options, num_steps
        settings = options.optimizer.model_dump(exclude={"name"})
        self.optimizer = CLASSES[options.optimizer.name](self.parameters, **settings)

    def minimize(self, loss: Tensor, step: int) -> None:
        """Take one step down the gradient of ``loss``, a scalar; ``step`` counts from the start of training."""
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss, inputs=self.parameters)  # a GAN's two networks lie in one graph
        if self.options.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.options.clip_norm)
        lr = self.options.optimizer.lr * schedules.factor(self.options.schedule, step, self.num_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        return self.optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state)
