"""oneDNN's product of matrices, which takes the widest vectors of a CPU.

PyTorch gives products of float32 to MKL, which on AMD's processors stays with vectors half as wide.
"""

import torch
from torch import Tensor

#: Multiplications of a product below which calling it by way of Python costs more than it gains, and so does rounding
#: to bfloat16.
LARGE = 1 << 21


def times(one: Tensor, other: Tensor, bias: Tensor | None = None) -> Tensor:
    """``one`` (..., K) times the transpose of ``other`` (M, K), plus ``bias`` (M,): (..., M).

    All have one type, which :func:`multiplies`.
    """
    # The one way to it that PyTorch has: its own compiler's.
    result: Tensor = torch.ops.mkldnn._linear_pointwise.default(one, other, bias, "none", [], "")
    return result


def multiplies(dtype: torch.dtype) -> bool:
    """Whether oneDNN multiplies numbers of this type here: float32, and bfloat16 on a CPU that has it or AVX-512."""
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def product_dtype(weight: Tensor) -> torch.dtype:
    """The type to multiply in: autocast's, within that, or that of ``weight``, of any shape."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else weight.dtype
