import torch
from quick_layers import quickened
from torch import nn

from pipeline.training.onednn.products import multiplies, times


def test_what_onednn_multiplies():
    assert multiplies(torch.float32) and not multiplies(torch.float64)
    double = nn.Linear(200, 150).double()
    inputs = torch.randn(300, 200).double()
    assert torch.equal(quickened(double)(inputs), double(inputs))


def test_a_product_of_matrices_in_any_order_of_memory():
    one, other, bias = torch.randn(30, 20), torch.randn(10, 20), torch.randn(10)
    expected = one.double() @ other.double().t()
    assert torch.allclose(times(one, other).double(), expected, atol=1e-5)
    assert torch.allclose(times(one, other, bias).double(), expected + bias, atol=1e-5)
    transposed = times(one.t().contiguous().t(), other.t().contiguous().t())
    assert torch.allclose(transposed.double(), expected, atol=1e-5)
