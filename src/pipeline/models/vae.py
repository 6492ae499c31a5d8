"""The dense variational autoencoder of PyTorch's examples, after D. P. Kingma & M. Welling (2013), appendix C."""

import math

from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec

READS = ("image",)
TASKS = ("vae",)


class Options(Schema):
    """Units of the hidden layer on either side, and dimensions of the latent space."""

    hidden_size: PositiveInt = 400
    latent_size: PositiveInt = 20


class Model(nn.Module):
    """Images (N, C, H, W) with values from 0 to 1 -> the logits of their reconstructions, of the same shape."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        self.latent_size, self.shape = options.latent_size, nn.Unflatten(1, spec.shape)
        num_pixels = math.prod(spec.shape)
        self.hidden = nn.Linear(num_pixels, options.hidden_size)
        self.moments = nn.Linear(options.hidden_size, 2 * options.latent_size)
        self.decoder_hidden = nn.Linear(options.latent_size, options.hidden_size)
        self.pixels = nn.Linear(options.hidden_size, num_pixels)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each image's latents, both (N, latent_size)."""
        hidden = F.relu(self.hidden(images.flatten(1)))
        mean, log_variance = self.moments(hidden).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, latents: Tensor) -> Tensor:
        """Latents (N, latent_size) -> logits of pixels (N, C, H, W)."""
        return self.shape(self.pixels(F.relu(self.decoder_hidden(latents))))

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.encode(images)[0])
