"""Modules that networks share.

Between maps and rows, PyTorch's own ``Flatten`` and ``Unflatten`` take channel after channel. The gradient then lies
otherwise than the maps that it belongs to, which makes the backward pass of an activation ten times as long.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class MapsToRows(nn.Module):
    """Maps (N, C, H, W) -> (N, H·W·C), in the order in which channels_last has them in memory."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.permute(0, 2, 3, 1).flatten(1)


class RowsToMaps(nn.Module):
    """The other way: (N, H·W·C) -> maps (N, C, H, W) of the ``shape`` (C, H, W)."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.channels, self.height, self.width = shape

    def forward(self, rows: Tensor) -> Tensor:
        return rows.view(-1, self.height, self.width, self.channels).permute(0, 3, 1, 2)


class PooledConv2d(nn.Conv2d):
    """A convolution to few maps and the maximum of each 2 x 2 of its outputs: (N, C, H, W) -> (N, M, H', W').

    H' is half of H + 2·padding - kernel_size + 1, rounded down, and W' likewise.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, padding: int = 0) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=padding)

    def forward(self, inputs: Tensor) -> Tensor:
        # Its parent's forward, which TorchScript can't call.
        return F.max_pool2d(self._conv_forward(inputs, self.weight, self.bias), 2)
