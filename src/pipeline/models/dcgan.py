"""A small generative adversarial network, convolutional on both sides: A. Radford, L. Metz & S. Chintala (2015)."""

from pydantic import PositiveInt
from torch import Tensor, nn

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, quarters
from pipeline.network.layers import MapsToRows, RowsToMaps

READS = ("image",)
TASKS = ("gan",)


class Options(Schema):
    """Size of the networks.

    Attributes:
        latent_size: dimensions of the noise that images are made of.
        num_maps: feature maps next to the image, in generator and discriminator; the inner layers have twice as many.
    """

    latent_size: PositiveInt = 100
    num_maps: PositiveInt = 64


class Model(nn.Module):
    """Latents (N, latent_size) -> images (N, C, H, W) with values from -1 to 1.

    ``discriminator`` gives such images (N, C, H, W) the logit (N, 1) of their being real.
    """

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        channels, height, width = quarters(spec, "dcgan")
        maps, self.latent_size = options.num_maps, options.latent_size
        self.generator = nn.Sequential(
            nn.Linear(options.latent_size, 2 * maps * height * width, bias=False),
            RowsToMaps((2 * maps, height, width)),
            nn.BatchNorm2d(2 * maps),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * maps, maps, kernel_size=4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(maps, channels, kernel_size=4, stride=2, padding=1),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Conv2d(channels, maps, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(maps, 2 * maps, kernel_size=4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * maps),
            nn.LeakyReLU(0.2, inplace=True),
            MapsToRows(),
            nn.Linear(2 * maps * height * width, 1),
        )
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)  # the paper's

    def forward(self, latents: Tensor) -> Tensor:
        return self.generator(latents)
