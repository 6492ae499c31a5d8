from copy import deepcopy

import pytest
import torch
from specimens import PICTURES, meta, readers, stored
from torch import nn

from pipeline.core.spec import DataSpec
from pipeline.network import building
from pipeline.tasks import gan
from pipeline.training.options import TrainOptions
from pipeline.training.pieces import whole


def task(name="dcgan", lr=0.001, epochs=1, **loss):
    options = TrainOptions.model_validate(
        {
            "epochs": epochs,
            "batch_size": 2,
            "optimizer": {"name": "adam", "lr": lr, "betas": (0.5, 0.999)},
            "loss": {"name": "non_saturating", **loss},
            "sample_epochs": (1,),
        }
    )
    torch.manual_seed(0)
    model, _ = building.build({"name": name, "latent_size": 6}, PICTURES, "m")
    return gan.Task(model, meta(PICTURES), options, num_steps=100)


class Given(nn.Module):
    """A generator that makes the same images of whatever it is given."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def forward(self, latents):
        return self.images


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items() if value.is_floating_point()}


def changed(network, before):
    return {name for name, value in weights(network).items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize("name", readers("image", "gan"))
@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_one_update_changes_every_weight_of_both_networks(name, averaging):
    made = task(name, averaging=averaging)
    before = weights(made.model)
    losses = made.update([whole(stored(PICTURES, 8), None)], 0)
    assert set(losses) == {"loss", "discriminator"}
    assert changed(made.model, before) == before.keys()


def test_each_network_is_trained_by_its_own_loss(monkeypatch):
    made = task("gan")
    # The generator's step changes nothing of the discriminator, and the other way round.
    seen = []
    take = type(made.optimizer).step
    monkeypatch.setattr(
        type(made.optimizer),
        "step",
        lambda self, step: (
            before := weights(made.model),
            take(self, step),
            seen.append({key.partition(".")[0] for key in changed(made.model, before)}),
        ),
    )
    made.update([whole(stored(PICTURES, 8), None)], 0)
    assert seen == [{"discriminator"}, {"generator"}]


def test_the_losses_are_those_of_the_paper():
    made = task("gan", lr=1e-12, label_smoothing=0.2)
    made.model.discriminator[3].p = 0.0  # no dropout
    images = stored(PICTURES, 8)
    losses = made.update([whole(images, None, seed=3)], 0)
    samples = made.model.generator(torch.randn(8, 6, generator=torch.Generator().manual_seed(3)))
    real = made.model.discriminator(images / 127.5 - 1).sigmoid()
    fake = made.model.discriminator(samples).sigmoid()
    on_real = -(0.8 * real.log() + 0.2 * (1 - real).log()).mean()
    torch.testing.assert_close(losses["discriminator"], (on_real - (1 - fake).log().mean()) / 2)
    torch.testing.assert_close(losses["loss"], -fake.log().mean())


def test_the_kept_generator_is_the_moving_average():
    made = task("gan", averaging=0.9)
    expected = weights(made.generator)
    for step in (0, 1, 200):
        made.update([whole(stored(PICTURES, 8), None)], step)
        past = {0: 1 / 10, 1: 2 / 11, 200: 0.9}[step]
        new = weights(made.generator)
        expected = {name: past * value + (1 - past) * new[name] for name, value in expected.items()}
    for name, value in weights(made.model.generator).items():
        torch.testing.assert_close(value, expected[name])


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_all_that_an_update_needs_is_saved(averaging):
    made, again, images = task(averaging=averaging), task(averaging=averaging), stored(PICTURES, 8)
    made.update([whole(images, None)], 0)
    again.load_state_dict(deepcopy(made.state_dict()))
    for one in (made, again):
        torch.manual_seed(7)
        one.update([whole(images, None)], 1)
    assert changed(made.model, weights(again.model)) == set()


def test_diversity_tells_a_collapsed_generator():
    judge, images = task(), stored(PICTURES, 50)
    judge.generator = judge.model.generator = Given(images / 127.5 - 1)
    diverse = judge.metrics(judge.validate(whole(images, None)))["diversity"]
    judge.generator = judge.model.generator = Given((images[:1] / 127.5 - 1).expand_as(images))
    alike = judge.metrics(judge.validate(whole(images, None)))["diversity"]
    assert diverse > 0.9
    assert alike == 0


def test_training_stops_when_diversity_stays_low_and_says_what_to_do():
    made = task(epochs=10, min_diversity=0.2, collapse_patience=3)

    def check(*diversity):
        made.check([{"epoch": float(epoch), "val_diversity": value} for epoch, value in enumerate(diversity, 1)])

    check(0.1, 0.1, 0.3, 0.1, 0.15)
    check(0.1, 0.1, 0.1, 0.1, 0.1)  # it may still begin
    with pytest.raises(ValueError, match=r"collapsed: in the last 3 epochs .* at most 0\.150 .*lower train.optimizer"):
        check(0.1, 0.3, 0.1, 0.15, 0.05)
    with pytest.raises(ValueError, match="collapsed"):
        check(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)


def test_validation_leaves_the_generator_learning():
    made, images = task(averaging=0.9), stored(PICTURES, 8)
    made.update([whole(images, None)], 0)
    before = weights(made.generator)
    made.model.eval()
    made.metrics(made.validate(whole(images, None)))
    assert changed(made.generator, before) == set()
    made.model.train()
    made.update([whole(images, None)], 1)
    assert {name for name in before if name.endswith("running_mean")} <= changed(made.generator, before)


def test_it_shows_the_same_latents_each_time():
    made = task()
    made.model.eval()
    first = made.show()
    assert (first.dtype, first.shape) == (torch.uint8, (64, *PICTURES.shape))
    torch.randn(5)
    assert torch.equal(first, made.show())


def test_validation_is_zero_for_the_images_themselves():
    made, images = task(), stored(PICTURES, 50)
    made.generator = made.model.generator = Given(images / 127.5 - 1)
    found = made.metrics(made.validate(whole(images, None)))
    assert found["loss"] == pytest.approx(0, abs=1e-5)
    assert found["diversity"] == pytest.approx(1, rel=1e-4)


def test_anything_but_images_is_refused():
    with pytest.raises(ValueError, match="a GAN learns from images, and this data set is a text"):
        gan.check(DataSpec(modality="text", shape=(3,), num_classes=2))
