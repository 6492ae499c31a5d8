"""What every model must do, whoever writes it."""

import pytest
import torch
from specimens import READERS, SPECS, network, network_input
from torch.nn import functional as F

from pipeline.core.spec import DataSpec
from pipeline.network import building

SHAPES = {
    "image": [(1, 28, 28), (3, 32, 32), (1, 12, 20)],
    "table": [(1,), (9,)],
    "text": [(1,), (30,)],
}
CASES = [(name, modality, shape) for name, modality in READERS for shape in SHAPES[modality]]


@pytest.mark.parametrize(("name", "modality", "shape"), CASES, ids=str)
def test_it_adapts_to_the_shape_and_the_number_of_classes(name, modality, shape):
    spec = DataSpec(modality=modality, shape=shape, num_classes=7, num_tokens=11 if modality == "text" else 0)
    built, options = building.build({"name": name}, spec, "runs.a.model")
    for num_examples in (2, 5):
        assert built(network_input(spec, num_examples)).shape == (num_examples, 7)
    assert options["name"] == name


@pytest.mark.parametrize(("name", "modality"), READERS)
def test_one_example_gets_the_same_answer_alone_and_in_a_batch(name, modality):
    answer, batch = network(name, SPECS[modality]), network_input(SPECS[modality], 6)
    torch.testing.assert_close(answer(batch)[3:4], answer(batch[3:4]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "modality"), READERS)
def test_every_weight_learns(name, modality):
    torch.manual_seed(0)
    built, _ = building.build({"name": name}, SPECS[modality], "m")
    F.cross_entropy(built(network_input(SPECS[modality], 8)), torch.arange(8) % 5).backward()
    for weight_name, weight in built.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, weight_name
