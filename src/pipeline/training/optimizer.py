"""From a loss to changed weights."""

import inspect
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.network import processes
from pipeline.training import schedules
from pipeline.training.options import TrainOptions

#: PyTorch wraps these methods to be safe under torch.compile and imports its compiler for that, which takes 3 s.
WRAPPED = ("step", "add_param_group", "state_dict", "load_state_dict")


def _plain(optimizer: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The same optimiser with the methods that are wrapped; whoever calls ``step`` switches gradients off."""
    methods = {name: inspect.unwrap(getattr(optimizer, name)) for name in WRAPPED}
    methods["step"].hooked = True  # or PyTorch would wrap it for its profiler, which takes 0.1 ms a step
    return type(optimizer.__name__, (optimizer,), methods)


CLASSES = {
    "sgd": _plain(torch.optim.SGD),
    "adagrad": _plain(torch.optim.Adagrad),
    "rmsprop": _plain(torch.optim.RMSprop),
    "adam": _plain(torch.optim.Adam),
    "adamw": _plain(torch.optim.AdamW),
}


#: Where PyTorch has an optimiser as one kernel, which goes over the memory once.
FUSED = {"sgd": ("cpu", "cuda"), "adagrad": ("cpu", "cuda"), "adam": ("cpu", "cuda"), "adamw": ("cpu", "cuda")}


class Optimizer:
    """An optimiser with the learning rate's schedule and gradient clipping; a task may have several."""

    def __init__(self, parameters: Iterable[nn.Parameter], options: TrainOptions, num_steps: int) -> None:
        self.parameters = list(parameters)
        self.options, self.num_steps = options, num_steps
        settings = options.optimizer.model_dump(exclude={"name"})
        self.is_fused = self.parameters[0].device.type in FUSED.get(options.optimizer.name, ())
        if self.is_fused:
            settings["fused"] = True
        self.optimizer = CLASSES[options.optimizer.name](self.parameters, **settings)

    def add(self, loss: Tensor, weight: float = 1.0) -> None:
        """Add the gradient of ``loss``, a scalar, with a ``weight`` that is the loss's share of all processes'."""
        factor = weight * processes.size()  # the mean over processes is what comes of their gradients
        # A GAN's two networks lie in one graph.
        torch.autograd.backward(loss if factor == 1 else loss * factor, inputs=self.parameters)

    def step(self, step: int) -> None:
        """Take a step down the gradients that were added; ``step`` counts from the start of training."""
        if self.options.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.options.clip_norm)
        lr = self.options.optimizer.lr * schedules.factor(self.options.schedule, step, self.num_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        with torch.no_grad():
            self.optimizer.step()
        # As the optimiser's zero_grad does it, without the profiler's hook around that.
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        return self.optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for group in state["param_groups"]:
            if "fused" in group:
                group["fused"] = self.is_fused or None  # the state may come from another kind of device
        self.optimizer.load_state_dict(state)
