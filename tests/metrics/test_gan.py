import pytest
import torch
from specimens import PICTURES, examples, meta, network, readers

from pipeline.evaluation.subject import Subject
from pipeline.metrics import gan
from pipeline.network.batches import Rows


@pytest.fixture
def judge(tmp_path):
    (tmp_path / "pictures").mkdir()
    test = examples(PICTURES, 23)

    def judge(generator, **options):
        inputs = Rows(torch.from_numpy(test.inputs))
        subject = Subject(generator, inputs, test, meta(PICTURES), torch.device("cpu"))
        return gan.evaluate(subject, gan.Options(**options), tmp_path), tmp_path

    judge.test = test
    return judge


@pytest.mark.parametrize("name", readers("image", "gan"))
def test_it_measures_what_it_says_and_draws(judge, name):
    values, folder = judge(network(name, PICTURES, latent_size=6))
    assert values.keys() == set(gan.NAMES)
    assert {file.name for file in (folder / "pictures").iterdir()} == {"samples.png", "interpolation.png"}
    assert judge(network(name, PICTURES, latent_size=6), batch_size=5)[0] == pytest.approx(values, rel=1e-5)


class Given:
    """A generator that makes the given images, over and over."""

    latent_size = 3

    def __init__(self, images):
        self.images = images

    def __call__(self, latents):
        return self.images[torch.arange(len(latents)) % len(self.images)]


def test_the_test_images_themselves_are_perfect_and_one_of_them_is_a_collapse(judge):
    images = torch.from_numpy(judge.test.inputs) / 127.5 - 1
    values, _ = judge(Given(images))
    assert values["pixel_distance"] == pytest.approx(0, abs=1e-6)
    assert values["diversity"] == pytest.approx(1, rel=1e-5)
    values, _ = judge(Given(images[:1]))
    assert values["diversity"] == 0
    assert values["pixel_distance"] > 0.1
