"""A convolution with few maps and the pooling behind it, as one product of matrices.

A kernel for convolutions computes one map in each lane of a vector: with 6 maps most lanes of 16 are empty, and pooling
6 maps is not vectorised at all. Here examples are innermost in memory, and each lane has one of them.
"""

from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from pipeline.network.layers import PooledConv2d
from pipeline.training.onednn.products import multiplies, product_dtype, times


class OneDnnPooledConv2d(PooledConv2d):
    """(N, C, H, W) -> (N, M, H', W') as its parent computes it, but for rounding; on a CPU.

    In float32, or in bfloat16 within autocast.

    An odd ``kernel_size`` is needed, and a gradient; else it is the parent.

    The four outputs under a maximum are those of four maps of one convolution with a stride of 2, whose kernels, larger
    by one, have the small one in a corner each. That is a product of matrices whose rows the maximum is of. For 5 x 5
    pixels it multiplies 1.4 times as often, and gathers a third of the numbers.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        dtype, kernel_size, padding = product_dtype(self.weight), self.kernel_size[0], int(self.padding[0])
        fits = inputs.dim() == 4 and inputs.shape[1] == self.in_channels and kernel_size % 2 == 1
        if not (torch.is_grad_enabled() and fits and multiplies(dtype)):
            return super().forward(inputs)
        height, width = ((length + 2 * padding - kernel_size + 1) // 2 for length in inputs.shape[2:])
        outputs: Tensor = _PooledConv2d.apply(inputs, self.weight, self.bias, padding, dtype)
        return outputs.view(self.out_channels, height, width, len(inputs)).permute(3, 0, 1, 2)


class _PooledConv2d(torch.autograd.Function):
    """The outputs as (M, H'·W'·N): a view of them couldn't be changed in place."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, padding: int, dtype: torch.dtype) -> Tensor:
        num_maps, channels, kernel_size, _ = weight.shape
        size = kernel_size + 1
        maps = inputs.to(dtype).permute(1, 2, 3, 0)  # (C, H, W, N)
        maps = (F.pad(maps, (0, 0, *(padding,) * 4)) if padding else maps).contiguous()
        height, width = (maps.shape[1] - kernel_size + 1) // 2, (maps.shape[2] - kernel_size + 1) // 2
        c, h, w, n = maps.stride()
        patches = maps.as_strided((channels, size, size, height, width, len(inputs)), (c, h, w, 2 * h, 2 * w, n))
        columns = patches.reshape(channels * size**2, -1)
        # A border of zeros around a kernel: what begins there, or one further, is a large kernel.
        framed = F.pad(weight.to(dtype), (1, 1, 1, 1)).contiguous()
        m, c, h, w = framed.stride()
        corners = framed.as_strided((2, 2, num_maps, channels, size, size), (h, w, m, c, h, w))
        kernels = corners.reshape(4 * num_maps, -1)
        values = times(kernels, columns.t()).view(2, 2, num_maps, -1)  # lower or upper, right or left
        of_rows = torch.maximum(values[:, 0], values[:, 1])
        outputs = torch.maximum(of_rows[0], of_rows[1]).add_(bias[:, None].to(dtype))
        ctx.save_for_backward(columns, kernels, values, of_rows)
        ctx.input_shape, ctx.padding, ctx.sizes = inputs.shape, padding, (size, height, width)
        ctx.dtypes = inputs.dtype, weight.dtype
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        columns, kernels, values, of_rows = ctx.saved_tensors
        size, height, width = ctx.sizes
        channels, num_maps = ctx.input_shape[1], values.shape[2]
        gradient = gradients[0].contiguous()
        rows = _of_maximum(_of_maximum(gradient, of_rows, 0), values, 1).view(4 * num_maps, -1)
        of_inputs = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            patches = times(kernels.t(), rows.t()).view(channels, size // 2, 2, size // 2, 2, height, width, -1)
            of_inputs = _overlaid(patches, ctx.input_shape, ctx.padding).to(ctx.dtypes[0])
        if ctx.needs_input_grad[1]:
            of_kernels = times(columns, rows).to(ctx.dtypes[1]).view(channels, size, size, 2, 2, num_maps)
            of_height = of_kernels[:, 1:, :, 0] + of_kernels[:, :-1, :, 1]  # (C, kernel_size, size, 2, M)
            of_both = of_height[:, :, 1:, 0] + of_height[:, :, :-1, 1]  # (C, kernel_size, kernel_size, M)
            of_weight = of_both.permute(3, 0, 1, 2)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum(1, dtype=ctx.dtypes[1])
        return of_inputs, of_weight, of_bias, None, None


def _of_maximum(gradient: Tensor, values: Tensor, dim: int) -> Tensor:
    """From the gradient of the maxima of two ``values`` along ``dim`` to theirs.

    Of equal ones the second gets it: the upper or left, as in PyTorch's pooling.
    """
    gradients = torch.empty_like(values)
    (first, second), (of_first, of_second) = values.unbind(dim), gradients.unbind(dim)
    # Where the difference is positive, and 0 elsewhere.
    torch.ops.aten.threshold_backward.grad_input(gradient, first - second, 0, grad_input=of_first)
    torch.sub(gradient, of_first, out=of_second)
    return gradients


def _overlaid(patches: Tensor, shape: torch.Size, padding: int) -> Tensor:
    """The sum, in float32, of ``patches`` (C, size/2, 2, size/2, 2, H', W', N), 2 pixels apart, in the ``shape``."""
    count, channels, height, width = shape
    half, at_height, at_width = patches.shape[1], *patches.shape[5:7]
    tall, wide = -(-height // 2) + padding, -(-width // 2) + padding
    total = torch.zeros(channels, tall, 2, wide, 2, count)
    window = channels, at_height, 2, at_width, 2, count
    c, i, h, j, w, y, x, n = patches.stride()
    _, down, _, right, _, _ = total.stride()
    for row, column in product(range(half), repeat=2):  # as_strided does in one call what takes indexing five
        place = total.as_strided(window, total.stride(), row * down + column * right)
        place += patches.as_strided(window, (c, y, h, x, w, n), row * i + column * j)
    maps = total.view(channels, 2 * tall, 2 * wide, count)
    return maps[:, padding : padding + height, padding : padding + width].permute(3, 0, 1, 2)
