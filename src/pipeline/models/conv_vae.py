"""The tutorial's variational autoencoder: encoder and decoder are convolutional, the latents Gaussian."""

from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, quarters
from pipeline.network.layers import MapsToRows, RowsToMaps

READS = ("image",)
TASKS = ("vae",)


class Options(Schema):
    """Size of the network.

    Attributes:
        num_maps: feature maps of the outer convolutions; the inner ones have twice as many.
        hidden_size: units of the dense layer on either side of the latents.
        latent_size: dimensions of the latent space.
    """

    num_maps: PositiveInt = 32
    hidden_size: PositiveInt = 256
    latent_size: PositiveInt = 20


class Model(nn.Module):
    """Images (N, C, H, W) with values from 0 to 1 -> the logits of their reconstructions, of the same shape."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        channels, height, width = quarters(spec, "conv_vae")
        maps, self.latent_size = options.num_maps, options.latent_size
        num_inner = 2 * maps * height * width
        self.conv1 = nn.Conv2d(channels, maps, kernel_size=4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(maps, 2 * maps, kernel_size=4, stride=2, padding=1)
        self.to_rows = MapsToRows()
        self.hidden = nn.Linear(num_inner, options.hidden_size)
        self.moments = nn.Linear(options.hidden_size, 2 * options.latent_size)
        self.decoder_hidden = nn.Linear(options.latent_size, options.hidden_size)
        self.decoder_maps = nn.Linear(options.hidden_size, num_inner)
        self.to_maps = RowsToMaps((2 * maps, height, width))
        self.deconv2 = nn.ConvTranspose2d(2 * maps, maps, kernel_size=4, stride=2, padding=1)
        self.deconv1 = nn.ConvTranspose2d(maps, channels, kernel_size=4, stride=2, padding=1)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each image's latents, both (N, latent_size)."""
        x = F.relu(self.conv1(images))  # (N, maps, H/2, W/2)
        x = F.relu(self.conv2(x))  # (N, 2 maps, H/4, W/4)
        hidden = F.relu(self.hidden(self.to_rows(x)))
        mean, log_variance = self.moments(hidden).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, latents: Tensor) -> Tensor:
        """Latents (N, latent_size) -> logits of pixels (N, C, H, W)."""
        x = F.relu(self.decoder_maps(F.relu(self.decoder_hidden(latents))))
        return self.deconv1(F.relu(self.deconv2(self.to_maps(x))))

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.encode(images)[0])
