"""What tasks share: how a network learns from one batch after the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.network import processes
from pipeline.network.inputs import reading
from pipeline.training.augmentation import augment
from pipeline.training.optimizer import Optimizer
from pipeline.training.options import TrainOptions
from pipeline.training.pieces import Piece

#: One row of ``history.csv``.
Row = dict[str, float]


class LearningTask(ABC):
    """How a network learns; the class ``Task`` of each file in ``tasks/`` is one. This one has a single optimiser.

    The model is on its device before: an optimiser may keep tensors there from the start.
    """

    #: What is trained and kept; a task calls more of it than a module offers.
    model: Any
    #: What :meth:`losses` calls to learn, from :func:`pipeline.network.processes.together`.
    learner: nn.Module

    def __init__(self, model: nn.Module, meta: Meta, options: TrainOptions, num_steps: int) -> None:
        self.model, self.options, self.num_steps = model, options, num_steps
        self.learning = self.learns()
        self.learner = processes.together(self.learning)
        self.optimizer = Optimizer(self.learning.parameters(), options, num_steps)

    def learns(self) -> nn.Module:
        """What the optimiser changes, and :meth:`losses` calls in training."""
        return self.model

    def losses(self, piece: Piece, step: int) -> dict[str, Tensor]:
        """Means over the piece, scalars on the device; ``loss`` is minimised, and the others are its parts.

        For :meth:`update` as it is here.
        """
        raise NotImplementedError

    @abstractmethod
    def validate(self, piece: Piece) -> dict[str, Tensor]:
        """Measure examples in float32, as the model will be used; returns means over them, of any shape, on the device.

        The model is in evaluation mode, and no gradient is needed.
        """

    def metrics(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The validation metrics, scalars, from the means over all examples of what :meth:`validate` returns."""
        return means

    def update(self, pieces: list[Piece], step: int) -> dict[str, Tensor]:
        """Take one step by a batch; returns the losses, weighted and summed (detached scalars, on the device)."""
        losses = []
        for piece in pieces:
            with processes.exchanging(self.learner, piece is pieces[-1]):
                losses.append(self.losses(self.augmented(piece), step))
                self.optimizer.add(losses[-1]["loss"], piece.weight)
        self.optimizer.step(step)
        return weighted(losses, pieces)

    def show(self) -> Tensor | None:
        """Images that the network makes, of the same latents each time, uint8 (n, C, H, W); None if it makes none.

        The model is in evaluation mode.
        """
        return None

    def check(self, history: list[Row]) -> None:
        """Look at the rows of ``history.csv`` so far.

        Raises:
            ValueError: going on is of no use.
        """
        return

    def compile(self, mode: str) -> None:
        """Let ``torch.compile`` make the kernels of what :meth:`losses` calls.

        For each size of batch its own: kernels for any size, which it would make at the second one, would let the bits
        depend on the order in which a process has met the sizes.
        """
        self.learning.compile(options=compiler_options(mode), dynamic=False)

    def augmented(self, piece: Piece) -> Piece:
        """Images (uint8) after random changes; anything else as it is."""
        return augment(piece, self.options.augment) if piece.inputs.dtype == torch.uint8 else piece

    def precision(self, device: torch.device) -> Any:
        """The context in which a network computes while it learns."""
        # The rehearsal's device, meta, knows no precision.
        if self.options.precision != "bf16" or device.type == "meta":
            return nullcontext()
        return torch.autocast(device.type, torch.bfloat16)

    def state_dict(self) -> dict[str, Any]:
        """All that resuming needs, in tensors, numbers and texts."""
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


class SupervisedTask(LearningTask):
    """One target an example."""

    def __init__(self, model: nn.Module, meta: Meta, options: TrainOptions, num_steps: int) -> None:
        super().__init__(model, meta, options, num_steps)
        self.read = reading(meta).to(next(model.parameters()).device)

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The scalar to minimise, from the network's outputs (N, num_outputs) and the targets (N,)."""

    @abstractmethod
    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Validation metrics of a batch, scalars, each a mean over its examples; arguments as for :meth:`loss`."""

    def losses(self, piece: Piece, step: int) -> dict[str, Tensor]:
        """See :meth:`LearningTask.losses`."""
        with self.precision(piece.inputs.device):
            outputs = self.learner(self.read(piece.inputs))
        return {"loss": self.loss(outputs.float(), piece.targets)}

    def validate(self, piece: Piece) -> dict[str, Tensor]:
        """See :meth:`LearningTask.validate`."""
        return self.measure(self.model(self.read(piece.inputs)), piece.targets)


def compiler_options(mode: str) -> dict[str, Any]:
    """The compiler's options in a ``mode`` of ``torch.compile``, which takes no further options beside a mode.

    No kernel is chosen by how long it took: with the kernels the bits would differ from one training to the next.
    """
    from torch._inductor import list_mode_options  # the compiler, seconds to import

    return {**list_mode_options(mode), "deterministic": True}


def weighted(values: list[dict[str, Tensor]], pieces: Iterable[Piece]) -> dict[str, Tensor]:
    """The sums over ``pieces`` of each one's ``values``, scalars, times its weight, detached."""
    total: dict[str, Tensor] = {}
    for found, piece in zip(values, pieces, strict=True):
        for name, value in found.items():
            part = value.detach() if piece.weight == 1 else value.detach() * piece.weight
            total[name] = total[name] + part if name in total else part
    return total
