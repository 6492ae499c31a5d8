"""The one training loop. What a network learns from a batch is its task's affair; watching is an observer's."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from pipeline.seeding import derive
from pipeline.training.options import TrainOptions

#: Examples in a batch that is only measured: large, since no activation is kept for a gradient.
EVALUATION_BATCH = 1000

Split = tuple[Tensor, Tensor]
Row = dict[str, float]


class Task(Protocol):
    """How a network learns; each file in ``tasks/`` has one."""

    model: nn.Module

    def update(self, inputs: Tensor, targets: Tensor, step: int) -> dict[str, Tensor]: ...
    def validate(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Observer(Protocol):
    """Sees training go by and can't change it."""

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None: ...
    def on_epoch(self, row: Row) -> None: ...


@dataclass
class State:
    """All that training has come to, besides the task's own tensors.

    Attributes:
        history: one row an epoch: ``epoch``, then ``train_<loss>`` and ``val_<metric>``.
        best: copies of the weights of the best epoch so far, and that epoch's number.
    """

    history: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)


def num_steps(num_examples: int, options: TrainOptions) -> int:
    """How many updates all epochs take; the last batch of an epoch may be smaller than the others."""
    return options.epochs * math.ceil(num_examples / options.batch_size)


def fit(
    task: Task,
    train: Split,
    val: Split,
    options: TrainOptions,
    seed: int,
    better: Callable[[float, float], float],
    observer: Observer,
) -> State:
    """Train ``task`` and leave the weights to keep in its model.

    Args:
        task: the network and how it learns.
        train: inputs (N, *shape) and targets (N,) on the device where the task's tensors are.
        val: the same for validation; it chooses the epoch to keep, never a weight.
        options: number of epochs, batch size, what to monitor.
        seed: everything random in a step follows from this and the step's number.
        better: ``min`` or ``max``, for the monitored metric.
        observer: is told of every step and epoch.

    Raises:
        ValueError: a loss is not finite; the message names the epoch, the first bad step and the remedy.
    """
    state = State()
    for epoch in range(1, options.epochs + 1):
        row = {
            "epoch": epoch,
            **_train_epoch(task, train, options, seed, epoch, observer),
            **_validate(task, val),
        }
        state.history.append(row)
        if epoch == best_epoch(state.history, options.monitor, better):
            state.best_epoch = epoch
            state.best_weights = {name: weight.clone() for name, weight in task.model.state_dict().items()}
        observer.on_epoch(row)
        if options.patience is not None and epoch - state.best_epoch >= options.patience:
            break
    if options.keep == "best":
        task.model.load_state_dict(state.best_weights)
    return state


def best_epoch(history: list[Row], monitor: str, better: Callable[[float, float], float]) -> int:
    """The first epoch (from 1) with the best value of the column ``monitor``."""
    best = history[0]
    for row in history[1:]:
        if row[monitor] != best[monitor] and better(row[monitor], best[monitor]) == row[monitor]:
            best = row
    return int(best["epoch"])


def _train_epoch(
    task: Task, train: Split, options: TrainOptions, seed: int, epoch: int, observer: Observer
) -> dict[str, float]:
    inputs, targets = train
    device = targets.device
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(derive(seed, "batch order", epoch)))
    order = order.to(device)
    sums: dict[str, Tensor] = {}
    first_bad = torch.full((), -1, dtype=torch.int64, device=device)
    first_step = (epoch - 1) * math.ceil(len(targets) / options.batch_size)
    task.model.train()
    for step, index in enumerate(torch.split(order, options.batch_size), start=first_step):
        # Augmentation and dropout draw from the global generator: a function of the step, so resuming needs no state.
        torch.manual_seed(derive(seed, "step", step))
        losses = task.update(inputs.index_select(0, index), targets.index_select(0, index), step)
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0) + loss * (len(index) / len(targets))
            first_bad = torch.where((first_bad < 0) & ~loss.isfinite(), step, first_bad)
        observer.on_step(step, losses)
    # The one place in an epoch that waits for the device.
    values = torch.stack([first_bad.double().cpu(), *(value.double().cpu() for value in sums.values())]).tolist()
    if values[0] >= 0:
        raise ValueError(
            f"the loss is not finite since step {int(values[0]) - first_step + 1} of epoch {epoch}: "
            f"lower train.optimizer.lr (={options.optimizer.lr}) or set train.clip_norm (={options.clip_norm})"
        )
    return {f"train_{name}": value for name, value in zip(sums, values[1:], strict=True)}


@torch.inference_mode()
def _validate(task: Task, val: Split) -> dict[str, float]:
    inputs, targets = val
    task.model.eval()
    sums: dict[str, Tensor] = {}
    for start in range(0, len(targets), EVALUATION_BATCH):
        batch = slice(start, start + EVALUATION_BATCH)
        share = len(targets[batch]) / len(targets)
        for name, mean in task.validate(inputs[batch], targets[batch]).items():
            sums[name] = sums.get(name, 0) + mean * share
    values = torch.stack(list(sums.values())).tolist()
    return {f"val_{name}": value for name, value in zip(sums, values, strict=True)}
