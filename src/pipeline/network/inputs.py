"""From stored examples to what a network reads."""

import torch
from torch import Tensor, nn

from pipeline.core.storage import Meta


def reading(meta: Meta) -> nn.Module:
    """What stored inputs go through before the network: images and rows are standardised, token ids stay."""
    return Standardize(meta) if meta.mean else nn.Identity()


class Standardize(nn.Module):
    """Bring inputs to mean 0 and variance 1, channel by channel or feature by feature, as the training split has it.

    Takes (N, C, H, W) or (N, F) of any dtype, returns float32 of the same shape.
    """

    def __init__(self, meta: Meta) -> None:
        super().__init__()
        axes = (len(meta.mean),) + (1,) * (len(meta.spec.shape) - 1)  # (C, 1, 1) or (F,)
        # A constant channel has no spread to divide by; it stays 0.
        std = torch.tensor([value or 1.0 for value in meta.std])
        # One multiplication and one addition instead of three steps: x·gain + shift.
        self.register_buffer("gain", (1 / (std * meta.scale)).view(axes), persistent=False)
        self.register_buffer("shift", (-torch.tensor(meta.mean) / std).view(axes), persistent=False)
        self.gain: Tensor
        self.shift: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.float() * self.gain + self.shift
