from copy import deepcopy

import pytest
import torch
from torch import nn

from pipeline.network.layers import PooledConv2d
from pipeline.training.onednn import linear, pooled
from pipeline.training.onednn.linear import LARGE, OneDnnLinear
from pipeline.training.onednn.pooled import OneDnnPooledConv2d
from pipeline.training.onednn.products import multiplies
from pipeline.training.onednn.quickening import quicken

#: Of float32 and bfloat16, in sums of some hundred terms.
TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 0.03}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def learn(layer, inputs, weights):
    """Outputs, and the gradients of a weighted sum of them: of the inputs and all parameters."""
    inputs = inputs.clone().requires_grad_()
    outputs = layer(inputs)
    (outputs.float() * weights).sum().backward()
    return [outputs.detach(), inputs.grad, *(parameter.grad for parameter in layer.parameters())]


def assert_alike(quick, exact, tolerance):
    """Each pair of tensors differs by a share of the larger one's size."""
    for one, other in zip(quick, exact, strict=True):
        assert one.shape == other.shape
        assert (one.double() - other.double()).norm() <= tolerance * other.double().norm()


def quickened(layer):
    """A copy that is quick."""
    network = nn.Sequential(deepcopy(layer))
    quicken(network)
    return network[0]


def test_only_known_layers_change_and_no_name_does():
    class Own(nn.Linear):
        pass

    network = nn.Sequential(nn.Linear(2, 3), PooledConv2d(1, 2, 3), Own(3, 4), nn.Conv2d(1, 2, 3), nn.ReLU())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    quicken(network)
    assert [type(module) for module in network] == [OneDnnLinear, OneDnnPooledConv2d, Own, nn.Conv2d, nn.ReLU]
    after = network.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)


def test_without_onednn_nothing_changes(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert type(quickened(nn.Linear(2, 3))) is nn.Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(300, 200), (4, 75, 200)])
def test_a_linear_layer_learns_the_same(shape, bias):
    layer, inputs = nn.Linear(200, 150, bias=bias), torch.randn(shape)
    weights = torch.randn(*shape[:-1], 150)
    quick = quickened(layer)
    found = learn(quick, inputs, weights)
    assert "_Linear" in type(quick(inputs).grad_fn).__name__
    assert_alike(found, learn(deepcopy(layer).double(), inputs.double(), weights), TOLERANCES[torch.float32])


@pytest.mark.skipif(not multiplies(torch.bfloat16), reason="needs a processor with AVX-512")
def test_a_linear_layer_learns_in_bfloat16_within_autocast():
    layer, inputs, weights = nn.Linear(200, 150), torch.randn(300, 200), torch.randn(300, 150)
    quick = quickened(layer)
    with torch.autocast("cpu", torch.bfloat16):
        found = learn(quick, inputs, weights)
    assert [tensor.dtype for tensor in found] == [torch.bfloat16] + 3 * [torch.float32]
    assert quick.weight.grad.is_contiguous()
    assert_alike(found, learn(layer.double(), inputs.double(), weights), TOLERANCES[torch.bfloat16])


def test_inputs_that_need_no_gradient_get_none():
    quick, inputs = quickened(nn.Linear(200, 150)), torch.randn(300, 200)
    quick(inputs).sum().backward()
    assert inputs.grad is None and quick.weight.grad is not None


def test_small_products_and_those_without_gradient_are_pytorchs():
    quick = quickened(nn.Linear(200, 150))
    few = LARGE // (200 * 150)
    assert "_Linear" not in type(quick(torch.randn(few, 200)).grad_fn).__name__
    assert "_Linear" in type(quick(torch.randn(few + 1, 200)).grad_fn).__name__
    inputs = torch.randn(300, 200)
    with torch.no_grad():
        assert torch.equal(quick(inputs), nn.functional.linear(inputs, quick.weight, quick.bias))


POOLED = [
    # channels, maps, kernel_size, padding, height, width
    (1, 6, 5, 2, 28, 28),
    (6, 16, 5, 0, 14, 14),
    (3, 2, 3, 1, 9, 12),
    (2, 3, 3, 0, 8, 7),
    (2, 3, 7, 1, 11, 10),
    (2, 3, 1, 0, 5, 4),
    (2, 3, 4, 1, 9, 9),
]


@pytest.mark.parametrize("case", POOLED, ids=str)
@pytest.mark.parametrize("count", [1, 5])
def test_a_pooled_convolution_learns_the_same(case, count):
    channels, maps, kernel_size, padding, height, width = case
    layer = PooledConv2d(channels, maps, kernel_size, padding)
    inputs = torch.randn(count, channels, height, width)
    weights = torch.randn_like(layer(inputs))
    quick = quickened(layer).to(memory_format=torch.channels_last)
    found = learn(quick, inputs, weights)
    function = quick(inputs).grad_fn
    names = []
    while function is not None:
        names.append(type(function).__name__)
        function = function.next_functions[0][0] if function.next_functions else None
    assert ("_PooledConv2dBackward" in names) == (kernel_size % 2 == 1)
    assert_alike(found, learn(layer.double(), inputs.double(), weights), TOLERANCES[torch.float32])


def test_of_equal_values_the_first_one_counts_as_in_pytorchs_pooling():
    layer, inputs = PooledConv2d(1, 2, 3), torch.full((3, 1, 8, 8), 0.5)
    weights = torch.randn_like(layer(inputs))
    assert_alike(learn(quickened(layer), inputs, weights), learn(layer, inputs, weights), TOLERANCES[torch.float32])


@pytest.mark.skipif(not multiplies(torch.bfloat16), reason="needs a processor with AVX-512")
def test_a_pooled_convolution_learns_in_bfloat16_within_autocast_as_well_as_pytorchs():
    """Rounding makes another value the largest here and there."""
    layer, inputs = PooledConv2d(6, 16, 5), torch.randn(5, 6, 14, 14)
    weights = torch.randn_like(layer(inputs))
    exact = learn(deepcopy(layer).double(), inputs.double(), weights)
    with torch.autocast("cpu", torch.bfloat16):
        found, plain = learn(quickened(layer), inputs, weights), learn(layer, inputs, weights)
    assert [tensor.dtype for tensor in found] == [torch.bfloat16] + 3 * [torch.float32]
    for one, other, true in zip(found, plain, exact, strict=True):
        assert (one.double() - true).norm() <= 1.5 * (other.double() - true).norm() + 0.001 * true.norm()


def test_what_comes_of_a_pooled_convolution_can_be_changed_in_place():
    layer, images = PooledConv2d(1, 2, 3), torch.randn(3, 1, 8, 8)
    networks = nn.Sequential(quickened(layer), nn.ReLU(inplace=True)), nn.Sequential(layer, nn.ReLU())
    weights = torch.randn(3, 2, 3, 3)
    assert_alike(*(learn(network, images, weights) for network in networks), TOLERANCES[torch.float32])


def test_a_pooled_convolution_refuses_other_channels_than_its_own():
    with pytest.raises(RuntimeError, match="channels"):
        quickened(PooledConv2d(3, 2, 3))(torch.randn(3, 5, 8, 8))


def test_a_frozen_layer_passes_its_gradient_on():
    for layer, shape in ((nn.Linear(200, 150), (300, 200)), (PooledConv2d(1, 2, 3), (3, 1, 8, 8))):
        quick, inputs = quickened(layer).requires_grad_(False), torch.randn(shape, requires_grad=True)
        quick(inputs).sum().backward()
        assert inputs.grad is not None and quick.weight.grad is None and quick.bias.grad is None


def test_where_onednn_has_no_bfloat16_pytorchs_layers_learn(monkeypatch):
    for module in (linear, pooled):
        monkeypatch.setattr(module, "multiplies", lambda dtype: dtype == torch.float32)
    for layer, shape in ((nn.Linear(200, 150), (300, 200)), (PooledConv2d(1, 2, 3), (3, 1, 8, 8))):
        with torch.autocast("cpu", torch.bfloat16):
            quick, inputs = quickened(layer), torch.randn(shape)
            assert torch.equal(quick(inputs), layer(inputs))


def test_what_onednn_multiplies():
    assert multiplies(torch.float32) and not multiplies(torch.float64)
    double = nn.Linear(200, 150).double()
    inputs = torch.randn(300, 200).double()
    assert torch.equal(quickened(double)(inputs), double(inputs))


def test_a_pooled_convolution_without_gradient_is_pytorchs():
    layer, images = PooledConv2d(1, 2, 3), torch.randn(3, 1, 8, 8)
    with torch.inference_mode():
        assert torch.equal(quickened(layer)(images), layer(images))
