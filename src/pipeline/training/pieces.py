"""What of a batch goes through the network at once: all of it, unless processes share it or memory is short."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from pipeline.network import devices, processes
from pipeline.network.batches import Batch, Inputs
from pipeline.seeding import derive


@dataclass(frozen=True)
class Piece:
    """Some examples of a batch, one behind the other.

    Attributes:
        inputs, targets: (n, *shape) and (n,) as stored, on the device.
        begin: how many examples of the batch are before them.
        total: examples of the batch.
        weight: of a mean over them in that over the batch; those of all pieces, of all processes, add up to 1.
        seed: of the batch's noise.
    """

    inputs: Tensor
    targets: Tensor
    begin: int
    total: int
    weight: float
    seed: int

    @cached_property
    def noise(self) -> torch.Generator:
        """On the CPU, and at first in the same state for each piece of a batch: see :meth:`own`."""
        return torch.Generator().manual_seed(self.seed)

    def own(self, drawn: Tensor) -> Tensor:
        """Of numbers (total, ...) ``drawn`` for a whole batch those of this piece, (n, ...), on its device.

        So an example gets the same numbers however many pieces there are, and on whatever device.
        """
        own = drawn[self.begin : self.begin + len(self.inputs)]
        return own.to(self.inputs.device, non_blocking=True)


def whole(inputs: Tensor, targets: Tensor, seed: int = 0) -> Piece:
    """A batch, (N, *shape) and (N,), in one piece; ``seed`` decides its noise."""
    return Piece(inputs, targets, 0, len(inputs), 1.0, seed)


def cut(
    inputs: Inputs, targets: Tensor, batches: Sequence[Batch], number: int, seeds: Sequence[int]
) -> list[list[Piece]]:
    """This process's part of each batch in ``number`` pieces, or as many as it has examples.

    ``targets`` are those of the split, (N,). Each of ``seeds`` decides the noise of a batch.
    """
    shares = [processes.share(len(batch.index)) for batch in batches]
    own = [batch.part(begin, end) for batch, (begin, end, _) in zip(batches, shares, strict=True)]
    # One after the other would take several times as long: see AHEAD in the training loop.
    taken = targets.index_select(0, torch.cat([part.index for part in own]))
    examples = zip(inputs.take_each(own), torch.split(taken, [len(part.index) for part in own]), strict=True)
    return [
        _pieces(mine, labels, begin, len(batch.index), weight, number, derive(seed, "noise"))
        for (mine, labels), batch, (begin, _, weight), seed in zip(examples, batches, shares, seeds, strict=True)
    ]


def _pieces(
    inputs: Tensor, targets: Tensor, begin: int, total: int, weight: float, number: int, seed: int
) -> list[Piece]:
    count = len(targets)
    number = min(number, count)
    if number == 1:
        return [Piece(inputs, targets, begin, total, weight, seed)]
    bounds = [count * place // number for place in range(number + 1)]
    return [
        Piece(inputs[first:last], targets[first:last], begin + first, total, weight * ((last - first) / count), seed)
        for first, last in pairwise(bounds)
    ]


def seed_network(device: torch.device, pieces: list[Piece], seed: int) -> None:
    """Seed what a network draws on its way through ``pieces`` (dropout), which differs between processes."""
    begin = pieces[0].begin
    devices.seed(device, derive(seed, begin) if begin else seed)
