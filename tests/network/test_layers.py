import torch
from torch import nn
from torch.nn import functional as F

from pipeline.network.layers import MapsToRows, PooledConv2d, RowsToMaps


def test_maps_become_rows_and_maps_again_without_a_copy():
    maps = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    rows = MapsToRows()(maps)
    again = RowsToMaps((3, 4, 5))(rows)
    assert rows.shape == (2, 60) and torch.equal(again, maps)
    assert maps.data_ptr() == rows.data_ptr() == again.data_ptr()
    assert again.is_contiguous(memory_format=torch.channels_last)


def test_rows_of_maps_that_lie_otherwise_are_the_same():
    maps = torch.randn(2, 3, 4, 5)
    assert torch.equal(MapsToRows()(maps), MapsToRows()(maps.to(memory_format=torch.channels_last)))


def test_a_pooled_convolution_is_a_convolution_and_pooling():
    torch.manual_seed(0)
    layer = PooledConv2d(3, 4, kernel_size=5, padding=2)
    torch.manual_seed(0)
    plain = nn.Conv2d(3, 4, kernel_size=5, padding=2)
    images = torch.randn(2, 3, 9, 8)
    assert torch.equal(layer(images), F.max_pool2d(plain(images), 2))
    assert layer(images).shape == (2, 4, 4, 4)
