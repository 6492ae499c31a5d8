from copy import deepcopy

import pytest
import torch
from quick_layers import LAYERS, assert_alike, is_quick, learn, quickened
from torch import nn

from pipeline.network.layers import PooledConv2d
from pipeline.training.onednn import linear, narrow, pooled
from pipeline.training.onednn.linear import OneDnnLinear
from pipeline.training.onednn.narrow import OneDnnConv2d, OneDnnConvTranspose2d
from pipeline.training.onednn.pooled import OneDnnPooledConv2d
from pipeline.training.onednn.products import multiplies
from pipeline.training.onednn.quickening import QUICK, quicken


@pytest.fixture(params=LAYERS)
def case(request):
    """A layer, and inputs that are enough for it to be quick."""
    torch.manual_seed(0)
    make, shape = LAYERS[request.param]
    return make(), torch.randn(shape)


def test_every_quick_layer_is_tested():
    assert {type(make()) for make, _ in LAYERS.values()} == set(QUICK)


def test_only_known_layers_change_and_no_name_does():
    class Own(nn.Linear):
        pass

    network = nn.Sequential(
        nn.Linear(2, 3), PooledConv2d(1, 2, 3), nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(2, 1, 3), Own(3, 4), nn.ReLU()
    )
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    quicken(network)
    quick = [OneDnnLinear, OneDnnPooledConv2d, OneDnnConv2d, OneDnnConvTranspose2d]
    assert [type(module) for module in network] == [*quick, Own, nn.ReLU]
    after = network.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)


def test_without_onednn_nothing_changes(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert type(quickened(nn.Linear(2, 3))) is nn.Linear


@pytest.mark.skipif(not multiplies(torch.bfloat16), reason="needs a processor with AVX-512")
def test_a_layer_learns_in_bfloat16_within_autocast_as_well_as_pytorchs(case):
    layer, inputs = case
    weights = torch.randn_like(layer(inputs))
    exact = learn(deepcopy(layer).double(), inputs.double(), weights)
    with torch.autocast("cpu", torch.bfloat16):
        quick = quickened(layer)
        assert is_quick(quick(inputs.clone().requires_grad_()))
        found, plain = learn(quick, inputs, weights), learn(layer, inputs, weights)
    assert [tensor.dtype for tensor in found] == [torch.bfloat16] + 3 * [torch.float32]
    for one, other, true in zip(found, plain, exact, strict=True):
        # A pooling has another value for the largest here and there.
        assert (one.double() - true).norm() <= 1.5 * (other.double() - true).norm() + 0.001 * true.norm()


def test_what_comes_of_a_layer_can_be_changed_in_place(case):
    layer, inputs = case
    networks = nn.Sequential(quickened(layer), nn.ReLU(inplace=True)), nn.Sequential(layer, nn.ReLU())
    weights = torch.randn_like(layer(inputs))
    assert_alike(*(learn(network, inputs, weights) for network in networks))


def test_a_frozen_layer_passes_its_gradient_on(case):
    layer, inputs = case
    quick, gradients = quickened(layer), []
    for frozen in (quick.requires_grad_(False), layer.requires_grad_(False)):
        leaf = inputs.clone().requires_grad_()
        outputs = frozen(leaf)
        assert is_quick(outputs) == (frozen is quick)
        outputs.sum().backward()  # whose gradient has strides of 0
        gradients.append(leaf.grad)
    assert_alike(gradients[:1], gradients[1:])
    assert quick.weight.grad is None and quick.bias.grad is None


def test_inputs_that_need_no_gradient_get_none(case):
    layer, inputs = case
    quick = quickened(layer)
    quick(inputs).sum().backward()
    assert inputs.grad is None and quick.weight.grad is not None


def test_without_gradient_a_layer_is_pytorchs(case):
    layer, inputs = case
    with torch.inference_mode():
        assert torch.equal(quickened(layer)(inputs), layer(inputs))


def test_where_onednn_has_no_bfloat16_pytorchs_layers_learn(case, monkeypatch):
    layer, inputs = case
    for module in (linear, narrow, pooled):
        monkeypatch.setattr(module, "multiplies", lambda dtype: dtype == torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = quickened(layer)(inputs.requires_grad_())
        assert torch.equal(outputs, layer(inputs)) and not is_quick(outputs)
