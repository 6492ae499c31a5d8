"""Judge a generator by what can be said without another network; ``compare`` says more."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from pipeline.core.schema import Schema

if TYPE_CHECKING:
    from pipeline.evaluation.subject import Subject

#: Whether a network of this task makes images, which ``compare`` can set beside real ones.
MAKES_IMAGES = True
#: What :func:`evaluate` measures.
NAMES = ("pixel_distance", "diversity", "num_examples")
#: Samples that are drawn; pairs of latents between which a row of images is drawn, and images in such a row.
NUM_SAMPLES, NUM_PAIRS, NUM_STEPS = 64, 8, 9


class Options(Schema):
    """The subtree ``runs.<run>.evaluate``; ``batch_size`` images are made at once, which changes no metric."""

    batch_size: int = Field(default=1000, gt=0, le=1_000_000)


def evaluate(subject: "Subject", options: Options, folder: Path) -> dict[str, float]:
    """Compare samples with as many test images, pixel by pixel, and draw into ``folder / "pictures"``, which exists.

    Returns:
        As validation does while a GAN learns: ``pixel_distance``, the Fréchet distance if pixels were independent and
        Gaussian, a mean over pixels with values from -1 to 1, and ``diversity``, the variance among samples over that
        among test images.
    """
    # Here and not above, so that checking the options takes no time.
    import torch

    from pipeline.evaluation.pictures import draw_images

    network, generator = subject.network, torch.Generator().manual_seed(0)

    def made(latents: torch.Tensor) -> np.ndarray:
        with torch.inference_mode():
            parts = [network(part.to(subject.device)).cpu() for part in torch.split(latents, options.batch_size)]
        images: np.ndarray = torch.cat(parts).numpy()
        return images

    real = subject.test.inputs / 127.5 - 1
    samples = made(torch.randn(len(real), network.latent_size, generator=generator)).astype(np.float64)
    distance = (real.mean(0) - samples.mean(0)) ** 2 + (real.std(0) - samples.std(0)) ** 2

    shown = made(torch.randn(NUM_SAMPLES, network.latent_size, generator=generator)) / 2 + 0.5
    draw_images(shown.reshape(8, 8, *shown.shape[1:]), "samples", folder / "pictures/samples.png")
    ends = torch.randn(2, NUM_PAIRS, 1, network.latent_size, generator=generator)
    # Halfway a straight line passes through latents shorter than any that are drawn; a circle does not.
    angles = torch.linspace(0, torch.pi / 2, NUM_STEPS)[:, None]
    between = made((angles.cos() * ends[0] + angles.sin() * ends[1]).flatten(0, 1)) / 2 + 0.5
    rows = between.reshape(NUM_PAIRS, NUM_STEPS, *between.shape[1:])
    draw_images(rows, "from one sample to another", folder / "pictures/interpolation.png")
    return {
        "pixel_distance": float(distance.mean()),
        "diversity": float(samples.var(0).mean() / real.var(0).mean()),
        "num_examples": len(real),
    }
