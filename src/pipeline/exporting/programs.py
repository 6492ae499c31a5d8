"""What a task deploys, and how its programs are called to be proved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core import storage
from pipeline.exporting.pt2 import Example
from pipeline.network import batches

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Call:
    """One batch of a proof.

    Attributes:
        stored: what the network is given of it, (n, *shape) as stored, or latents (n, latent_size).
        ts, pt2: the arguments of either program.
    """

    stored: Tensor
    ts: tuple[Any, ...]
    pt2: tuple[Any, ...]


def with_examples(tensors: Tensors, batch_size: int) -> list[Call]:
    """Calls with the examples of a prepared split, as :func:`pipeline.core.storage.read` returns it."""
    inputs = batches.of(dict(tensors), torch.device("cpu"))
    chunks = list(inputs.batches(batch_size))
    stored = [inputs.take(chunk) for chunk in chunks]
    if not isinstance(inputs, batches.Texts):
        return [Call(given, (given,), (given,)) for given in stored]
    texts = storage.examples(dict(tensors)).inputs
    return [
        Call(given, (texts[chunk.index.numpy()].tolist(),), (given, inputs.lengths[chunk.index]))
        for given, chunk in zip(stored, chunks, strict=True)
    ]


@dataclass(frozen=True)
class Programs:
    """The programs around one trained network.

    Attributes:
        ts: becomes ``model.ts``, TorchScript.
        pt2: becomes ``model.pt2``, by torch.export.
        expect: what the network answers to :attr:`Call.stored`, by the way that training and evaluation go.
        calls: those of the proof, from the test split and the number of examples at a time.
        methods: what ``ts`` offers besides, name -> arguments to prove it by.
        example: arguments of ``pt2`` and which of their axes are free, where they aren't those of the data.
    """

    ts: Any
    pt2: nn.Module
    expect: Callable[[Tensor], Tensor]
    calls: Callable[[Tensors, int], list[Call]] = with_examples
    methods: Callable[[Call], Mapping[str, tuple[Any, ...]]] = lambda call: {}
    example: Example | None = None
