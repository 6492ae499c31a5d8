import pytest
import torch
from quick_layers import assert_alike, is_quick, learn, quickened

from pipeline.network.layers import PooledConv2d


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


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
def test_it_learns_the_same(case, count):
    channels, maps, kernel_size, padding, height, width = case
    layer = PooledConv2d(channels, maps, kernel_size, padding)
    inputs = torch.randn(count, channels, height, width)
    weights = torch.randn_like(layer(inputs))
    quick = quickened(layer).to(memory_format=torch.channels_last)
    found = learn(quick, inputs, weights)
    assert is_quick(quick(inputs)) == (kernel_size % 2 == 1)
    assert_alike(found, learn(layer.double(), inputs.double(), weights))


def test_of_equal_values_the_first_one_counts_as_in_pytorchs_pooling():
    layer, inputs = PooledConv2d(1, 2, 3), torch.full((3, 1, 8, 8), 0.5)
    weights = torch.randn_like(layer(inputs))
    assert_alike(learn(quickened(layer), inputs, weights), learn(layer, inputs, weights))


def test_it_refuses_other_channels_than_its_own():
    with pytest.raises(RuntimeError, match="channels"):
        quickened(PooledConv2d(3, 2, 3))(torch.randn(3, 5, 8, 8))
