"""What every model must do, whoever writes it."""

import pytest
import torch

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.network import building

SHAPES = [(1, 28, 28), (3, 32, 32), (1, 12, 20)]


@pytest.mark.parametrize("name", rooms.names("models"))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_adapts_to_channels_size_and_classes(name, shape):
    spec = DataSpec(modality="image", shape=shape, num_classes=7)
    network, options = building.build({"name": name}, spec, "runs.a.model")
    for num_examples in (2, 5):
        assert network(torch.zeros(num_examples, *shape)).shape == (num_examples, 7)
    assert options["name"] == name


@pytest.mark.parametrize("name", rooms.names("models"))
def test_one_example_gets_the_same_answer_alone_and_in_a_batch(name):
    torch.manual_seed(0)
    network, _ = building.build({"name": name}, DataSpec(modality="image", shape=(1, 28, 28), num_classes=10), "m")
    network.eval()
    batch = torch.randn(6, 1, 28, 28)
    torch.testing.assert_close(network(batch)[3:4], network(batch[3:4]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", rooms.names("models"))
def test_every_weight_learns(name):
    torch.manual_seed(0)
    network, _ = building.build({"name": name}, DataSpec(modality="image", shape=(1, 28, 28), num_classes=10), "m")
    network(torch.randn(8, 1, 28, 28)).square().sum().backward()
    for weight_name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, weight_name
