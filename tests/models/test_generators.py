"""What every model that makes images must do, whoever writes it."""

import pytest
import torch
from specimens import GENERATORS, PICTURES, SPECS, readers

from pipeline.core.spec import DataSpec
from pipeline.network import building

MNIST = DataSpec(modality="image", shape=(1, 28, 28), num_classes=10)
SHAPES = [(1, 28, 28), (3, 32, 32), (1, 12, 20)]


def build(name, spec=PICTURES, **options):
    torch.manual_seed(0)
    return building.build({"name": name, **options}, spec, "m")[0]


@pytest.mark.parametrize("name", readers("image", "vae"))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_go_through_latents_and_keep_their_shape(name, shape):
    network = build(name, DataSpec(modality="image", shape=shape, num_classes=0), latent_size=7)
    images = torch.rand(5, *shape)
    mean, log_variance = network.encode(images)
    assert mean.shape == log_variance.shape == (5, 7)
    assert network.decode(mean).shape == images.shape
    assert torch.equal(network(images), network.decode(mean))


@pytest.mark.parametrize("name", readers("image", "gan"))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_latents_become_images_that_the_discriminator_reads(name, shape):
    network = build(name, DataSpec(modality="image", shape=shape, num_classes=0), latent_size=7)
    images = network(torch.randn(5, 7))
    assert images.shape == (5, *shape)
    assert images.min() >= -1 and images.max() <= 1
    assert network.discriminator(images).shape == (5, 1)


@pytest.mark.parametrize(("name", "task"), GENERATORS)
def test_sides_that_cannot_be_halved_twice_are_refused_where_that_is_needed(name, task):
    if name == "vae":
        assert build(name, SPECS["image"])(torch.rand(1, *SPECS["image"].shape)).shape == (1, *SPECS["image"].shape)
        return
    with pytest.raises(ValueError, match=rf"{name} halves images twice, and these have 14 x 16 pixels: .*image_size"):
        build(name, SPECS["image"])


@pytest.mark.parametrize(
    ("name", "num_parameters"),
    [
        # PyTorch's example: 784-400-20 and back.
        ("vae", (784 * 400 + 400) + 2 * (400 * 20 + 20) + (20 * 400 + 400) + (400 * 784 + 784)),
        (
            "conv_vae",
            (16 * 32 + 32) + (16 * 32 * 64 + 64) + (3136 * 256 + 256) + 2 * (256 * 20 + 20)
            + (20 * 256 + 256) + (256 * 3136 + 3136) + (16 * 64 * 32 + 32) + (16 * 32 + 1),
        ),
        # The listing's 7 x 7 x 256, 128 and 1 maps; a dense layer of 128 units and one of 1.
        (
            "gan",
            100 * 12544 + 2 * 256 + 16 * 256 * 128 + 2 * 128 + (16 * 128 + 1) + (784 * 128 + 128) + (128 + 1),
        ),
        (
            "dcgan",
            100 * 6272 + 2 * 128 + 16 * 128 * 64 + 2 * 64 + (16 * 64 + 1)
            + (16 * 64 + 64) + 16 * 64 * 128 + 2 * 128 + (6272 + 1),
        ),
    ],
)  # fmt: skip
def test_number_of_parameters(name, num_parameters):
    assert sum(parameter.numel() for parameter in build(name, MNIST).parameters()) == num_parameters
