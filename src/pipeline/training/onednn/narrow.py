"""Convolutions to the few channels of an image, and gradients of those from them.

A kernel for convolutions computes one channel in each lane of a vector: with 1 or 3 most lanes of 16 are empty. Here a
product of matrices makes the window of pixels that belongs to each place of the maps, and what overlaps is added up.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from pipeline.training.onednn.products import LARGE, multiplies, product_dtype, times

#: Where PyTorch's kernels were seen to be slower: they take little longer for more channels, and for windows of which
#: more cover a pixel.
MOST_CHANNELS, MOST_WINDOWS = 3, 4

Sizes = tuple[int, ...]
#: Stride and padding.
Geometry = tuple[Sizes, Sizes]


class OneDnnConvTranspose2d(nn.ConvTranspose2d):
    """Maps (N, M, H, W) -> images (N, C, H', W') as its parent computes them, but for rounding; on a CPU.

    In float32, or in bfloat16 within autocast. Without a gradient, and for all that is large, small or unusual, it is
    the parent.
    """

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        is_plain = output_size is None and not any(self.output_padding)
        if not (is_plain and _pays(self, self.out_channels, maps, math.prod(maps.shape[2:]))):
            return super().forward(maps, output_size)
        images: Tensor = _ConvTranspose2d.apply(
            maps, self.weight, self.bias, (self.stride, self.padding), product_dtype(self.weight)
        )
        return images


class OneDnnConv2d(nn.Conv2d):
    """Images (N, C, H, W) -> maps (N, M, H', W') as its parent computes them; on a CPU.

    If the images need a gradient, it comes as the result of :class:`OneDnnConvTranspose2d` does, and as seldom.
    """

    def forward(self, images: Tensor) -> Tensor:
        places = math.prod(images.shape[2:]) // math.prod(self.stride)
        is_plain = images.requires_grad and self.padding_mode == "zeros"
        if not (is_plain and _pays(self, self.in_channels, images, places)):
            return super().forward(images)
        maps: Tensor = _Conv2d.apply(
            images, self.weight, self.bias, (self.stride, self.padding), product_dtype(self.weight)
        )
        return maps


def _pays(layer: nn.Conv2d | nn.ConvTranspose2d, channels: int, inputs: Tensor, places: int) -> bool:
    """Whether images with these ``channels``, of windows at so many ``places``, come quicker by a product."""
    is_narrow = channels <= MOST_CHANNELS and math.prod(layer.kernel_size) <= MOST_WINDOWS * math.prod(layer.stride)
    if not (is_narrow and torch.is_grad_enabled() and inputs.dim() == 4 and inputs.shape[1] == layer.in_channels):
        return False
    is_plain = layer.groups == 1 and set(layer.dilation) == {1} and not isinstance(layer.padding, str)
    is_large = len(inputs) * places * layer.weight.numel() >= LARGE
    return is_plain and is_large and multiplies(product_dtype(layer.weight))


class _ConvTranspose2d(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, dtype: torch.dtype
    ) -> Tensor:
        rounded, factor = _kept(ctx, maps, weight, geometry, dtype)
        size = tuple(
            (places - 1) * step - 2 * border + length
            for places, step, border, length in zip(maps.shape[2:], *geometry, weight.shape[2:], strict=True)
        )
        images = _overlaid(rounded, factor, size, *geometry)
        return (images if bias is None else images.add_(bias[:, None, None])).to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return *_gradients(ctx, gradients[0], True, ctx.needs_input_grad[:3]), None, None


class _Conv2d(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, dtype: torch.dtype
    ) -> Tensor:
        rounded, factor = _kept(ctx, images, weight, geometry, dtype)
        return F.conv2d(rounded, factor, None if bias is None else bias.to(dtype), *geometry)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        images, weight = ctx.saved_tensors
        _, of_weight, of_bias = _gradients(ctx, gradients[0], False, (False, *ctx.needs_input_grad[1:3]))
        of_images = _overlaid(gradients[0], weight, images.shape[2:], *ctx.geometry).to(ctx.dtypes[0])
        return of_images, of_weight, of_bias, None, None


def _kept(ctx: Any, inputs: Tensor, weight: Tensor, geometry: Geometry, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Inputs and weight in the ``dtype`` of the products; what their gradients need is kept in ``ctx``."""
    rounded, factor = inputs.to(dtype), weight.to(dtype)
    ctx.save_for_backward(rounded, factor)
    ctx.geometry, ctx.dtypes = geometry, (inputs.dtype, weight.dtype, weight.dtype)
    return rounded, factor


def _overlaid(maps: Tensor, weight: Tensor, size: Sizes, stride: Sizes, padding: Sizes) -> Tensor:
    """Maps (N, M, H, W) -> images, float32 (N, C, *size), by the ``weight`` (M, C, h, w)."""
    count, kernel_size = len(maps), weight.shape[2:]
    rows = maps.permute(0, 2, 3, 1).flatten(0, 2)  # (N·H·W, M), a view where maps are channels_last
    windows = times(weight.flatten(1).t().contiguous(), rows).float()  # (C·h·w, N·H·W)
    by_image = windows.view(len(windows), count, -1).transpose(0, 1)
    return F.fold(by_image, size, kernel_size, 1, padding, stride)


def _gradients(ctx: Any, gradient: Tensor, is_transposed: bool, wanted: tuple[bool, ...]) -> list[Tensor | None]:
    """Of inputs, weight and bias, by PyTorch's own kernels, in the types that these have."""
    inputs, weight = ctx.saved_tensors
    stride, padding = ctx.geometry
    found = torch.ops.aten.convolution_backward(
        gradient, inputs, weight, [gradient.shape[1]], stride, padding, [1, 1], is_transposed, [0, 0], 1, list(wanted)
    )
    return [None if one is None else one.to(dtype) for one, dtype in zip(found, ctx.dtypes, strict=True)]
