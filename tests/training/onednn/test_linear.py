from copy import deepcopy

import pytest
import torch
from quick_layers import assert_alike, is_quick, learn, quickened
from torch import nn

from pipeline.training.onednn.products import LARGE, multiplies


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(300, 200), (4, 75, 200)])
def test_it_learns_the_same(shape, bias):
    layer, inputs = nn.Linear(200, 150, bias=bias), torch.randn(shape)
    weights = torch.randn(*shape[:-1], 150)
    quick = quickened(layer)
    found = learn(quick, inputs, weights)
    assert is_quick(quick(inputs))
    assert_alike(found, learn(deepcopy(layer).double(), inputs.double(), weights))


@pytest.mark.skipif(not multiplies(torch.bfloat16), reason="needs a processor with AVX-512")
def test_a_gradient_within_autocast_lies_as_its_weight():
    quick = quickened(nn.Linear(200, 150))
    with torch.autocast("cpu", torch.bfloat16):
        quick(torch.randn(300, 200)).float().sum().backward()
    assert quick.weight.grad.is_contiguous()


@pytest.mark.skipif(not multiplies(torch.bfloat16), reason="needs a processor with AVX-512")
def test_small_products_within_autocast_are_float32():
    class WithinAutocast(nn.Sequential):
        def forward(self, inputs):
            with torch.autocast("cpu", torch.bfloat16):
                return super().forward(inputs)

    layer, inputs, weights = nn.Linear(20, 15), torch.randn(30, 20), torch.randn(30, 15)
    network = WithinAutocast(quickened(layer))
    found, expected = learn(network, inputs, weights), learn(layer, inputs, weights)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    rounded = inputs.bfloat16()
    assert torch.equal(network(rounded), layer(rounded.float()))


def test_small_products_are_pytorchs():
    quick = quickened(nn.Linear(200, 150))
    few = LARGE // (200 * 150)
    assert not is_quick(quick(torch.randn(few, 200)))
    assert is_quick(quick(torch.randn(few + 1, 200)))
