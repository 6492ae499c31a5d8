"""A linear layer whose products are oneDNN's."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from pipeline.training.onednn.products import LARGE, multiplies, product_dtype, times


class OneDnnLinear(nn.Linear):
    """(..., in_features) -> (..., out_features) on a CPU, float32, or bfloat16 within autocast.

    Small products are its parent's, and float32: rounding takes longer than multiplying then.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        dtype = product_dtype(self.weight)
        if not (torch.is_grad_enabled() and inputs.dim() > 1 and multiplies(dtype)):
            return super().forward(inputs)
        if inputs.numel() * self.out_features >= LARGE:
            outputs: Tensor = _Linear.apply(inputs, self.weight, self.bias, dtype)
            return outputs
        if dtype == self.weight.dtype:
            return super().forward(inputs)
        with torch.autocast("cpu", enabled=False):
            return super().forward(inputs.to(self.weight.dtype))


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
        rounded, factor = inputs.to(dtype), weight.to(dtype)
        ctx.save_for_backward(rounded, factor)
        ctx.dtypes = inputs.dtype, weight.dtype
        return times(rounded, factor, None if bias is None else bias.to(dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        rounded, factor = ctx.saved_tensors
        rows = gradients[0].flatten(0, -2)  # (N, out_features)
        of_inputs = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_inputs = times(rows, factor.t()).view_as(rounded).to(ctx.dtypes[0])
        if ctx.needs_input_grad[1]:
            # Autocast's own gradient arrives transposed, and is copied from column to column.
            of_weight = times(rows.t(), rounded.flatten(0, -2).t()).to(ctx.dtypes[1])
        if ctx.needs_input_grad[2]:
            of_bias = rows.sum(0, dtype=ctx.dtypes[1])
        return of_inputs, of_weight, of_bias, None
