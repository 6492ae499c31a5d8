import pytest
import torch
from specimens import PICTURES, examples, meta, network, readers

from pipeline.evaluation.subject import Subject
from pipeline.metrics import vae
from pipeline.network.batches import Rows


@pytest.fixture(params=readers("image", "vae"))
def judged(request, tmp_path):
    """The metrics and the folder of a network on 23 images."""
    (tmp_path / "pictures").mkdir()
    test = examples(PICTURES, 23)
    subject = Subject(
        network(request.param, PICTURES, latent_size=6),
        Rows(torch.from_numpy(test.inputs)),
        test,
        meta(PICTURES),
        torch.device("cpu"),
    )

    def evaluate(**options):
        return vae.evaluate(subject, vae.Options(**options), tmp_path), tmp_path, subject

    return evaluate


def test_what_is_measured_is_what_is_said(judged):
    values, folder, subject = judged(batch_size=10, num_samples=30)
    assert values.keys() == set(vae.NAMES)
    assert values["negative_elbo"] == values["reconstruction"] + values["kl"]
    # The tighter bound is the smaller loss, but for the chance of few draws.
    assert values["negative_iw_elbo"] < values["negative_elbo"] + 0.1
    images = torch.from_numpy(subject.test.inputs) / 255
    with torch.inference_mode():
        error = (subject.network(images).sigmoid() - images).square().mean().sqrt().item()
        mean, log_variance = subject.network.encode(images)
    assert values["rmse"] == pytest.approx(error, rel=1e-5)
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
    assert values["kl"] == pytest.approx(kl.item(), rel=1e-5)
    assert values["active_units"] == int((mean.var(0, correction=0) > 0.01).sum())
    assert values["num_examples"] == 23
    assert {file.name for file in (folder / "pictures").iterdir()} == {
        "reconstructions.png",
        "samples.png",
        "traversal.png",
    }


def test_it_is_the_same_each_time(judged):
    first, folder, _ = judged(num_samples=3)
    pictures = {file.name: file.read_bytes() for file in (folder / "pictures").iterdir()}
    torch.randn(3)
    assert judged(num_samples=3)[0] == first
    assert {file.name: file.read_bytes() for file in (folder / "pictures").iterdir()} == pictures
