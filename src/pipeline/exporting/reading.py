"""From raw input to what a network reads, inside the program: whoever calls it needs no preprocessing of ours."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.storage import Meta
from pipeline.network.inputs import Standardize


def reader(meta: Meta) -> nn.Module:
    """The first step of a program for such data."""
    return ReadImages(meta) if meta.spec.modality == "image" else ReadTable(meta)


class ReadImages(nn.Module):
    """(N, C, H, W) uint8 of any height and width -> (N, C, height, width) float32, resized and standardised.

    Resizing agrees with PIL's bilinear filter, which preprocessing used, within one level of 255. An image that has
    the right size already isn't changed by it.

    Raises:
        ValueError: another dtype, number of axes or of channels (``torch.jit.Error`` after ``torch.jit.load``).
    """

    def __init__(self, meta: Meta) -> None:
        super().__init__()
        self.num_channels, self.height, self.width = meta.spec.shape
        self.standardize = Standardize(meta)

    def forward(self, images: Tensor) -> Tensor:
        if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] != self.num_channels:
            # In TorchScript a dtype is a number, and `images.type()` prints all of the images.
            dtype = "uint8" if images.dtype == torch.uint8 else "not uint8 and"
            raise ValueError(
                f"images must be uint8 of shape (N, {self.num_channels}, H, W); "
                f"these are {dtype} of shape {images.shape}"
            )
        # There is no shortcut for images of the right size: a branch on it would fix H and W in torch.export.
        resized = F.interpolate(images.float(), [self.height, self.width], mode="bilinear", antialias=True)
        return self.standardize(resized.round().clamp(0, 255))


class ReadTable(nn.Module):
    """(N, F) float32 rows -> (N, F) float32, standardised.

    Raises:
        ValueError: another dtype, number of axes or of features (``torch.jit.Error`` after ``torch.jit.load``).
    """

    def __init__(self, meta: Meta) -> None:
        super().__init__()
        (self.num_features,) = meta.spec.shape
        self.standardize = Standardize(meta)

    def forward(self, rows: Tensor) -> Tensor:
        if rows.dtype != torch.float32 or rows.dim() != 2 or rows.shape[1] != self.num_features:
            dtype = "float32" if rows.dtype == torch.float32 else "not float32 and"
            raise ValueError(
                f"rows must be float32 of shape (N, {self.num_features}); these are {dtype} of shape {rows.shape}"
            )
        return self.standardize(rows)
