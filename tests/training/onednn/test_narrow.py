from copy import deepcopy

import pytest
import torch
from quick_layers import assert_alike, is_quick, learn, quickened
from torch import nn

from pipeline.training.onednn import narrow


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(narrow, "LARGE", 0)
    monkeypatch.setattr(narrow, "MOST_WINDOWS", 100)


GEOMETRIES = [
    # channels, maps, kernel_size, stride, padding, bias
    (1, 8, 4, 2, 1, True),
    (3, 5, 3, 1, 1, False),
    (2, 4, (5, 3), (1, 2), (0, 1), True),
    (1, 4, 2, 3, 0, True),
]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_it_learns_the_same(kind, geometry, memory_format):
    channels, maps, *rest, bias = geometry
    ends = (channels, maps) if kind is nn.Conv2d else (maps, channels)
    layer = kind(*ends, *rest, bias=bias).to(memory_format=memory_format)
    inputs = torch.randn(6, ends[0], 11, 8).to(memory_format=memory_format)
    weights = torch.randn_like(layer(inputs))
    quick = quickened(layer)
    found = learn(quick, inputs, weights)
    assert is_quick(quick(inputs.requires_grad_()))
    assert_alike(found, learn(deepcopy(layer).double(), inputs.double(), weights))


OTHERS = {
    "many channels": (nn.Conv2d(4, 8, 3), (2, 4, 9, 9)),
    "to many channels": (nn.ConvTranspose2d(8, 4, 3), (2, 8, 9, 9)),
    "many windows": (nn.ConvTranspose2d(8, 1, 11), (2, 8, 9, 9)),
    "groups": (nn.Conv2d(2, 8, 3, groups=2), (2, 2, 9, 9)),
    "dilation": (nn.ConvTranspose2d(8, 1, 3, dilation=2), (2, 8, 9, 9)),
    "output padding": (nn.ConvTranspose2d(8, 1, 3, stride=2, output_padding=1), (2, 8, 9, 9)),
    "named padding": (nn.Conv2d(1, 8, 3, padding="same"), (2, 1, 9, 9)),
    "another border": (nn.Conv2d(1, 8, 3, padding=1, padding_mode="reflect"), (2, 1, 9, 9)),
    "no batch": (nn.Conv2d(1, 8, 3), (1, 9, 9)),
    "maps of no batch": (nn.ConvTranspose2d(8, 1, 3), (8, 9, 9)),
}


@pytest.mark.parametrize("case", OTHERS)
def test_others_are_pytorchs(case):
    layer, shape = OTHERS[case]
    inputs = torch.randn(shape, requires_grad=True)
    outputs = quickened(layer)(inputs)
    assert torch.equal(outputs, layer(inputs)) and not is_quick(outputs)


def test_an_output_size_is_pytorchs_affair():
    layer, maps = nn.ConvTranspose2d(8, 1, 3, stride=2), torch.randn(2, 8, 9, 9)
    assert torch.equal(quickened(layer)(maps, output_size=[20, 20]), layer(maps, output_size=[20, 20]))


def test_images_that_need_no_gradient_are_convolved_by_pytorch():
    layer, images = nn.Conv2d(1, 8, 3), torch.randn(2, 1, 9, 9)
    assert not is_quick(quickened(layer)(images))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.ConvTranspose2d(8, 1, 3), (2, 8, 9, 6)), (nn.Conv2d(1, 8, 3, stride=2, padding=1), (2, 1, 18, 12))],
)
def test_small_products_are_pytorchs(layer, shape, monkeypatch):
    inputs, number = torch.randn(shape, requires_grad=True), 2 * (9 * 6) * 8 * (3 * 3)
    monkeypatch.setattr(narrow, "LARGE", number + 1)
    assert not is_quick(quickened(layer)(inputs))
    monkeypatch.setattr(narrow, "LARGE", number)
    assert is_quick(quickened(layer)(inputs))


def test_it_refuses_other_maps_than_its_own():
    with pytest.raises(RuntimeError, match="channels"):
        quickened(nn.ConvTranspose2d(8, 1, 3))(torch.randn(2, 5, 9, 9))
