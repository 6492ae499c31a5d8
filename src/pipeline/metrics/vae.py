"""Judge a variational autoencoder by its test set: how likely it finds images, and how it draws them again."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from pipeline.core.schema import Schema

if TYPE_CHECKING:
    from pipeline.evaluation.subject import Subject

#: Whether a network of this task makes images, which ``compare`` can set beside real ones.
MAKES_IMAGES = True
#: What :func:`evaluate` measures.
NAMES = ("negative_elbo", "reconstruction", "kl", "negative_iw_elbo", "rmse", "active_units", "num_examples")
#: A latent is active if its mean varies over images by more than this (Y. Burda et al., 2015).
ACTIVE = 0.01
#: Test images that are drawn with their reconstruction, samples that are drawn, and steps of a traversed latent.
NUM_IMAGES, NUM_SAMPLES, NUM_STEPS = 20, 64, 9


class Options(Schema):
    """The subtree ``runs.<run>.evaluate``.

    Attributes:
        batch_size: examples evaluated at once; with another one, the random draws are others.
        num_samples: draws of latents an image; more make the bounds surer and the importance-weighted one tighter.
    """

    batch_size: int = Field(default=500, gt=0, le=1_000_000)
    num_samples: PositiveInt = 50


def evaluate(subject: "Subject", options: Options, folder: Path) -> dict[str, float]:
    """Measure, and draw into ``folder / "pictures"``, which exists.

    Returns:
        In nats, means over images: ``negative_elbo``, the negative evidence lower bound, which is ``reconstruction``
        plus ``kl``; ``negative_iw_elbo``, the same of the tighter bound of Burda et al. (2015). ``rmse`` is
        that of reconstructions from the latents' means, of pixels from 0 to 1; ``active_units`` counts the latents that
        say something of an image.
    """
    # Here and not above, so that checking the options takes no time.
    import torch

    from pipeline.evaluation import likelihood

    network, inputs = subject.network, subject.inputs
    generator = torch.Generator().manual_seed(0)  # the same draws for every run, so that numbers compare
    found, means, squares = [], [], []
    for batch in inputs.batches(options.batch_size):
        images = inputs.take(batch).float() / 255
        found.append(likelihood.measure(network, images, options.num_samples, generator))
        with torch.inference_mode():
            means.append(network.encode(images)[0].cpu().double())
            squares.append((network(images).sigmoid() - images).cpu().double().square().flatten(1).mean(1))
    spread = torch.cat(means).var(0, correction=0)
    _draw(subject, spread.argsort(descending=True, stable=True).tolist(), folder / "pictures")
    parts = {
        name: float(torch.cat([getattr(part, name) for part in found]).mean())
        for name in ("reconstruction", "kl", "importance_weighted")
    }
    return {
        "negative_elbo": parts["reconstruction"] + parts["kl"],
        "reconstruction": parts["reconstruction"],
        "kl": parts["kl"],
        "negative_iw_elbo": parts["importance_weighted"],
        "rmse": float(torch.cat(squares).mean().sqrt()),
        "active_units": int((spread > ACTIVE).sum()),
        "num_examples": len(inputs),
    }


def _draw(subject: "Subject", latents: list[int], folder: Path) -> None:
    """Reconstructions, samples, and one image with one latent after the other changed, the most active first."""
    import torch

    from pipeline.evaluation.pictures import draw_images, in_rows

    network = subject.network

    def decoded(points: torch.Tensor) -> np.ndarray:
        with torch.inference_mode():
            pixels: np.ndarray = network.decode(points.to(subject.device)).sigmoid().cpu().numpy()
        return pixels

    shown = subject.test.inputs[:NUM_IMAGES]
    with torch.inference_mode():
        means = network.encode(torch.from_numpy(shown).to(subject.device).float() / 255)[0].cpu()
    pairs = np.stack([shown / 255, decoded(means)], axis=1)
    draw_images(in_rows(pairs), "test images, each above its reconstruction", folder / "reconstructions.png")

    generator = torch.Generator().manual_seed(0)
    samples = decoded(torch.randn(NUM_SAMPLES, network.latent_size, generator=generator))
    draw_images(samples.reshape(8, 8, *samples.shape[1:]), "samples", folder / "samples.png")

    chosen, steps = latents[:10], torch.linspace(-3, 3, NUM_STEPS)
    points = means[:1].repeat(len(chosen), NUM_STEPS, 1)  # (latents, steps, latent_size)
    for row, latent in enumerate(chosen):
        points[row, :, latent] = steps
    images = decoded(points.flatten(0, 1))
    title = "one latent a row from -3 to 3, the most active first"
    draw_images(images.reshape(len(chosen), NUM_STEPS, *images.shape[1:]), title, folder / "traversal.png")
