"""The tutorial's generative adversarial network (I. Goodfellow et al., 2014), as its Keras listing was meant."""

import math

from pydantic import PositiveInt
from torch import Tensor, nn

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, quarters
from pipeline.network.layers import RowsToMaps

READS = ("image",)
TASKS = ("gan",)


class Options(Schema):
    """Size of the networks.

    Attributes:
        latent_size: dimensions of the noise that images are made of.
        num_maps: feature maps of the generator's first layer; the next has half as many.
        hidden_size: units of the discriminator's dense layer.
    """

    latent_size: PositiveInt = 100
    num_maps: PositiveInt = 256
    hidden_size: PositiveInt = 128


class Model(nn.Module):
    """Latents (N, latent_size) -> images (N, C, H, W) with values from -1 to 1.

    ``discriminator`` gives such images (N, C, H, W) the logit (N, 1) of their being real.
    """

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        channels, height, width = quarters(spec, "gan")
        maps, self.latent_size = options.num_maps, options.latent_size
        half = (maps + 1) // 2
        # Two transposed convolutions with a stride of 2 take the place of the listing's up-samplings and strides.
        self.generator = nn.Sequential(
            nn.Linear(options.latent_size, maps * height * width, bias=False),
            RowsToMaps((maps, height, width)),
            nn.BatchNorm2d(maps),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(maps, half, kernel_size=4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(half, channels, kernel_size=4, stride=2, padding=1),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(spec.shape), options.hidden_size),
            nn.LeakyReLU(0.1),
            nn.Dropout(0.5),
            nn.Linear(options.hidden_size, 1),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.generator(latents)
