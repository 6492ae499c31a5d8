"""The one training loop. What a network learns from a batch is its task's affair; watching is an observer's."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor

from pipeline.network import devices, processes
from pipeline.network.batches import Inputs
from pipeline.seeding import derive
from pipeline.training.options import TrainOptions
from pipeline.training.pieces import Piece, cut, seed_network
from pipeline.training.task import LearningTask, Row

#: Examples in a batch that is only measured: large, since no activation is kept for a gradient.
EVALUATION_BATCH = 1000

#: Batches that are put together in one go, and bytes that they may take by the size of those before. One alone, between
#: two steps of a small network, takes five times as long, since those leave nothing of its code and data in the
#: processor's cache.
AHEAD, AHEAD_BYTES = 32, 1 << 22

#: Inputs and targets (N,), on the device.
Split = tuple[Inputs, Tensor]


class Observer(Protocol):
    """Sees training go by and can't change it; the losses of a step are scalars on the device."""

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None: ...
    def on_epoch(self, row: Row) -> None: ...


@dataclass
class State:
    """How far training has come, besides the task's own tensors; with those it is all that resuming needs.

    Attributes:
        step: updates taken since the start.
        history: one row an epoch: ``epoch``, then ``train_<loss>`` and ``val_<metric>``.
        losses: of the epoch under way, float32 (steps, losses) on the device; those of steps to come mean nothing.
        loss_names: the columns of ``losses``.
        best_epoch: the epoch (from 1) that ``monitor`` judges best so far, 0 before the first.
        best_weights: copies of that epoch's weights.
        samples: epoch -> what a network that makes images made after it, uint8 (n, C, H, W) on the CPU.
    """

    step: int = 0
    history: list[Row] = field(default_factory=list)
    losses: Tensor | None = None
    loss_names: list[str] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    samples: dict[int, Tensor] = field(default_factory=dict)


def fit(
    task: LearningTask,
    train: Split,
    val: Split,
    options: TrainOptions,
    seed: int,
    better: Callable[[float, float], float],
    state: State,
    observer: Observer,
) -> None:
    """Train ``task`` from ``state`` to the end and leave the weights to keep in its model.

    Args:
        task: the network and how it learns.
        train: inputs and targets on the device where the task's tensors are.
        val: the same for validation; it chooses the epoch to keep, never a weight.
        options: number of epochs, batch size, what to monitor.
        seed: everything random in a step follows from this and the step's number.
        better: ``min`` or ``max``, for the monitored metric.
        state: a new one, or one to go on from with the task that belongs to it; changed in place.
        observer: is told of every step and epoch.

    Raises:
        ValueError: a loss or metric is not finite, with the epoch, the first bad step and the remedy; or the task
            says that going on is of no use.
    """
    while not _is_finished(state, options):
        with devices.tf32(options.precision == "tf32"):  # validation is in float32
            losses = _train_epoch(task, train, options, seed, state, observer)
        epoch = len(state.history) + 1
        row = {"epoch": epoch, **losses, **validate(task, val)}
        _check_finite(row)
        state.history.append(row)
        if epoch in options.sample_epochs and (images := task.show()) is not None:
            state.samples[epoch] = images.cpu()
        if epoch == best_epoch(state.history, options.monitor, better):
            state.best_epoch = epoch
            state.best_weights = {name: weight.clone() for name, weight in task.model.state_dict().items()}
        observer.on_epoch(row)
        task.check(state.history)
    if options.keep == "best":
        task.model.load_state_dict(state.best_weights)


def best_epoch(history: list[Row], monitor: str, better: Callable[[float, float], float]) -> int:
    """The first epoch (from 1) with the best value of the column ``monitor``."""
    best = history[0]
    for row in history[1:]:
        if row[monitor] != best[monitor] and better(row[monitor], best[monitor]) == row[monitor]:
            best = row
    return int(best["epoch"])


def _check_finite(row: Row) -> None:
    if bad := [name for name, value in row.items() if not math.isfinite(value)]:
        raise ValueError(
            f"{', '.join(bad)} of epoch {row['epoch']:.0f} is not finite, since its last step broke the weights: "
            "lower train.optimizer.lr or set train.clip_norm"
        )


def _is_finished(state: State, options: TrainOptions) -> bool:
    num_epochs = len(state.history)
    out_of_patience = options.patience is not None and num_epochs - state.best_epoch >= options.patience
    return num_epochs == options.epochs or out_of_patience


def _train_epoch(
    task: LearningTask, train: Split, options: TrainOptions, seed: int, state: State, observer: Observer
) -> dict[str, float]:
    epoch = len(state.history) + 1
    num_steps = train[0].num_batches(options.batch_size)
    sizes = [0] * num_steps
    skipped = state.step - len(state.history) * num_steps  # taken before an interruption
    device = train[1].device
    task.model.train()
    for number, step_seed, pieces in _batches(train, options, seed, epoch, skipped, sizes):
        seed_network(device, pieces, step_seed)
        losses = processes.added(task.update(pieces, state.step))
        if state.losses is None:
            state.losses = torch.empty(num_steps, len(losses), device=device)
            state.loss_names = list(losses)
        for place, loss in zip(state.losses[number].unbind(), losses.values(), strict=True):
            place.copy_(loss)
        state.step += 1
        observer.on_step(state.step, losses)
    assert state.losses is not None
    # The one place in an epoch that waits for the device.
    losses_of_steps = state.losses.cpu().double()
    state.losses = None
    is_good = losses_of_steps.isfinite().all(1).tolist()
    if not all(is_good):
        raise ValueError(
            f"the loss is not finite since step {is_good.index(False) + 1} of epoch {epoch}: "
            f"lower train.optimizer.lr (={options.optimizer.lr}) or set train.clip_norm (={options.clip_norm})"
        )
    means = (torch.tensor(sizes, dtype=torch.float64) / len(train[1]) @ losses_of_steps).tolist()
    return {f"train_{name}": mean for name, mean in zip(state.loss_names, means, strict=True)}


def _batches(
    train: Split, options: TrainOptions, seed: int, epoch: int, skipped: int, sizes: list[int]
) -> Iterator[tuple[int, int, list[Piece]]]:
    """Of each batch but the first ``skipped`` its number within the epoch, its seed and its pieces.

    Fills ``sizes`` with the examples of each.
    """
    inputs, targets = train
    generator = torch.Generator().manual_seed(derive(seed, "batch order", epoch))
    batches = enumerate(inputs.batches(options.batch_size, generator, skipped))
    first_step = (epoch - 1) * len(sizes)
    number_ahead = 1  # until it is known how large a batch is
    while some := list(islice(batches, number_ahead)):
        for number, batch in some:
            sizes[number] = len(batch.index)
        if wanted := [(number, batch) for number, batch in some if number >= skipped]:
            numbers, chosen = zip(*wanted, strict=True)
            # Everything random is a function of the step, so resuming needs no state.
            seeds = [derive(seed, "step", first_step + number) for number in numbers]
            cuts = cut(inputs, targets, chosen, options.accumulation, seeds)
            size = max(sum(piece.inputs.nbytes for piece in pieces) for pieces in cuts)
            number_ahead = min(AHEAD, max(1, AHEAD_BYTES // size))
            yield from zip(numbers, seeds, cuts, strict=True)


@torch.inference_mode()
def validate(task: LearningTask, val: Split) -> dict[str, float]:
    """Measure the examples ``val`` in evaluation mode: ``val_<metric>``, means over them or what comes of such."""
    inputs, targets = val
    task.model.eval()
    sums: dict[str, Tensor] = {}
    for batch in inputs.batches(EVALUATION_BATCH):
        share = len(batch.index) / len(targets)
        [[piece]] = cut(inputs, targets, [batch], 1, [0])  # the same noise each time, so that epochs compare
        seed_network(targets.device, [piece], seed=0)
        for name, mean in task.validate(piece).items():
            sums[name] = sums.get(name, torch.zeros_like(mean)) + mean * (share * piece.weight)
    metrics = task.metrics(processes.added(sums))
    values = torch.stack(list(metrics.values())).tolist()
    return {f"val_{name}": value for name, value in zip(metrics, values, strict=True)}
