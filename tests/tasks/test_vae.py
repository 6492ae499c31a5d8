import math

import pytest
import torch
from specimens import PICTURES, meta, readers, stored
from torch import nn
from torch.distributions import Bernoulli, Normal

from pipeline.core.spec import DataSpec
from pipeline.network import building
from pipeline.tasks import vae
from pipeline.training.options import TrainOptions
from pipeline.training.pieces import whole


def task(name="vae", model=None, num_steps=100, **loss):
    options = TrainOptions.model_validate(
        {
            "epochs": 1,
            "batch_size": 2,
            "optimizer": {"name": "adam", "lr": 0.001},
            "loss": {"name": "elbo", **loss},
            "sample_epochs": (1,),
        }
    )
    torch.manual_seed(0)
    model = model or building.build({"name": name, "latent_size": 4}, PICTURES, "m")[0]
    return vae.Task(model, meta(PICTURES), options, num_steps)


class Fixed(nn.Module):
    """Encodes every image alike: latents of mean 1 and variance 4, decoded to their sum in every pixel."""

    latent_size = 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def encode(self, images):
        latents = torch.ones(len(images), 2) * self.weight
        return latents, latents * math.log(4)

    def decode(self, latents):
        return latents.sum(1).view(-1, 1, 1, 1).expand(-1, *PICTURES.shape)


def test_the_closed_form_of_kl_agrees_with_draws():
    kl = task(model=Fixed()).validate(whole(stored(PICTURES, 3), None))["kl"].item()
    posterior, prior = Normal(torch.ones(2), 2 * torch.ones(2)), Normal(torch.zeros(2), torch.ones(2))
    draws = posterior.sample((400_000,))
    expected = (posterior.log_prob(draws) - prior.log_prob(draws)).sum(1).mean().item()
    assert kl == pytest.approx(expected, rel=0.01)


def test_reconstruction_is_the_cross_entropy_of_all_pixels_of_an_image():
    made = task(model=Fixed())
    images = stored(PICTURES, 3)
    noise = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    logits = (1 + 2 * noise).sum(1).view(-1, 1, 1, 1)
    pixels = Bernoulli(logits=logits, validate_args=False)
    expected = -pixels.log_prob(images / 255).sum().item() / 3
    losses = made.validate(whole(images, None))
    assert losses["reconstruction"].item() == pytest.approx(expected, rel=1e-5)
    assert losses["loss"].item() == pytest.approx(expected + losses["kl"].item(), rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "step", "weight"),
    [({}, 0, 1.0), ({"beta": 4.0}, 50, 4.0), ({"beta": 2.0, "warmup": 0.5}, 24, 1.0), ({"warmup": 0.5}, 99, 1.0)],
)
def test_beta_weighs_kl_in_training_and_rises_over_the_warmup(loss, step, weight):
    losses = task(**loss).losses(whole(stored(PICTURES, 4), None), step)
    assert losses["loss"].item() == pytest.approx((losses["reconstruction"] + weight * losses["kl"]).item())


@pytest.mark.parametrize("name", readers("image", "vae"))
def test_it_learns_and_every_weight_takes_part(name):
    made, images = task(name), stored(PICTURES, 20)
    before = {key: value.clone() for key, value in made.model.state_dict().items()}
    first = made.update([whole(images, None)], 0)["loss"]
    for step in range(1, 60):
        last = made.update([whole(images, None)], step)["loss"]
    assert last < first
    assert [key for key, value in made.model.state_dict().items() if torch.equal(value, before[key])] == []


def test_it_shows_the_same_latents_each_time():
    made = task()
    first = made.show()
    assert (first.dtype, first.shape) == (torch.uint8, (64, *PICTURES.shape))
    torch.randn(5)
    assert torch.equal(first, made.show())
    made.update([whole(stored(PICTURES, 4), None)], 0)
    assert not torch.equal(first, made.show())


def test_anything_but_images_is_refused():
    with pytest.raises(ValueError, match="a VAE learns from images, and this data set is a table"):
        vae.check(DataSpec(modality="table", shape=(3,), num_classes=2))
