"""Layers that learn faster on a CPU, in the place of PyTorch's own."""

import torch
from torch import nn

from pipeline.network.layers import PooledConv2d
from pipeline.training.dropout import QuickDropout
from pipeline.training.onednn.linear import OneDnnLinear
from pipeline.training.onednn.narrow import OneDnnConv2d, OneDnnConvTranspose2d
from pipeline.training.onednn.pooled import OneDnnPooledConv2d

#: Those that compute by oneDNN.
QUICK = {
    nn.Linear: OneDnnLinear,
    PooledConv2d: OneDnnPooledConv2d,
    nn.Conv2d: OneDnnConv2d,
    nn.ConvTranspose2d: OneDnnConvTranspose2d,
}


def quicken(network: nn.Module) -> None:
    """Let layers of ``network``, on a CPU, learn faster; what they are named and compute stays the same.

    But for rounding, for what dropout drops, and for gradients of gradients, which those by oneDNN don't have.
    """
    has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    quick = {nn.Dropout: QuickDropout, **(QUICK if has_onednn else {})}
    for module in network.modules():
        module.__class__ = quick.get(type(module), type(module))
