"""What of a batch goes through the network at once: all of it, unless processes share it or memory is short."""

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


def cut(inputs: Inputs, targets: Tensor, batch: Batch, number: int, seed: int) -> list[Piece]:
    """This process's part of a batch in ``number`` pieces, or as many as it has examples.

    ``targets`` are those of the split, (N,). ``seed`` decides the noise of the batch.
    """
    begin, end, weight = processes.share(len(batch.index))
    noise = derive(seed, "noise")
    number = min(number, end - begin)
    bounds = [begin + (end - begin) * place // number for place in range(number + 1)]
    pieces = []
    for first, last in pairwise(bounds):
        part = batch.part(first, last)
        own_weight = weight * ((last - first) / (end - begin))
        taken = targets.index_select(0, part.index)
        pieces.append(Piece(inputs.take(part), taken, first, len(batch.index), own_weight, noise))
    return pieces


def seed_network(device: torch.device, pieces: list[Piece], seed: int) -> None:
    """Seed what a network draws on its way through ``pieces`` (dropout), which differs between processes."""
    begin = pieces[0].begin
    devices.seed(device, derive(seed, begin) if begin else seed)
