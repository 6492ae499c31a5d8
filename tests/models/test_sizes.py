"""The tutorials' networks have the tutorials' sizes, their bugs mended."""

import pytest
from specimens import READERS, SPECS

from pipeline.core import rooms
from pipeline.core.spec import DataSpec
from pipeline.network import building

MNIST = DataSpec(modality="image", shape=(1, 28, 28), num_classes=10)
CIFAR10 = DataSpec(modality="image", shape=(3, 32, 32), num_classes=10)
REVIEWS = DataSpec(modality="text", shape=(400,), num_classes=2, num_tokens=5000)


@pytest.mark.parametrize(
    ("name", "spec", "num_parameters"),
    [
        ("linear", MNIST, 784 * 10 + 10),
        # LeCun et al., 1998, counted with full connections from 6 to 16 maps and 400 inputs of the first dense layer.
        ("lenet", MNIST, (25 * 6 + 6) + (25 * 6 * 16 + 16) + (400 * 120 + 120) + (120 * 84 + 84) + (84 * 10 + 10)),
        ("cnn", MNIST, (9 * 16 + 16) + (9 * 16 * 32 + 32) + (1568 * 10 + 10)),
        ("lstm", MNIST, 4 * 128 * (28 + 128 + 2) + 4 * 128 * (128 + 128 + 2) + 128 * 10 + 10),
        # MLPerf Tiny's 78,666 has a bias for each of 240 normalised channels, which does nothing, and their running
        # means and variances, which aren't learnt.
        ("resnet", CIFAR10, 78_666 - 240 - 2 * 240),
        ("text_linear", REVIEWS, 5000 * 2 + 2),
        # Kim, 2014: filters of three widths, 100 of each, over embeddings of 300 numbers.
        ("text_cnn", REVIEWS, 5000 * 300 + 100 * (300 * (3 + 4 + 5) + 3) + 300 * 2 + 2),
        ("text_lstm", REVIEWS, 5000 * 100 + 2 * 4 * 128 * (100 + 128 + 2) + 256 * 2 + 2),
        # Two norms, four projections for the attention and two linear maps a layer; then one more norm.
        (
            "transformer",
            REVIEWS,
            5000 * 64 + 2 * (4 * 64 + 4 * (64 * 64 + 64) + (64 * 256 + 256) + (256 * 64 + 64)) + 2 * 64 + 64 * 2 + 2,
        ),
    ],
)
def test_number_of_parameters(name, spec, num_parameters):
    network, _ = building.build({"name": name}, spec, "m")
    assert sum(parameter.numel() for parameter in network.parameters()) == num_parameters


@pytest.mark.parametrize(("name", "smallest"), [("lenet", 12), ("cnn", 4), ("resnet", 4), ("lstm", 1)])
def test_too_small_an_image_is_refused_and_the_smallest_is_read(name, smallest):
    import torch

    def build(size):
        return building.build({"name": name}, DataSpec(modality="image", shape=(1, size, size), num_classes=2), "m")[0]

    assert build(smallest).eval()(torch.zeros(1, 1, smallest, smallest)).shape == (1, 2)
    if smallest > 1:
        with pytest.raises(ValueError, match=f"{name} needs images of at least {smallest} x {smallest}"):
            build(smallest - 1)


@pytest.mark.parametrize("name", rooms.names("models"))
@pytest.mark.parametrize("modality", SPECS)
def test_data_that_it_cannot_read_are_refused_and_those_that_can_are_named(name, modality):
    module = rooms.load("models", name, "")
    if modality in module.READS:
        return
    others = ", ".join(other for other, of in READERS if of == modality)
    remedy = f"; {others} read {modality}s" if "classification" in module.TASKS else ""
    with pytest.raises(ValueError, match=rf"m\.name: {name} reads .*data set is a {modality}{remedy}$"):
        building.build({"name": name}, SPECS[modality], "m")


def test_an_unknown_option_is_refused():
    with pytest.raises(
        ValueError, match=r"runs\.a\.model\.hidden: 3 is under an unknown key; did you mean 'hidden_size'"
    ):
        building.build({"name": "lstm", "hidden": 3}, MNIST, "runs.a.model")
