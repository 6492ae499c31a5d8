"""What is deployed of a variational autoencoder: images to latents and back, and images out of nothing."""

from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.exporting.programs import Call, Programs
from pipeline.exporting.reading import ReadImages


def programs(model: Any, meta: Meta) -> Programs:
    """The programs around the trained ``model``."""
    program = Program(model, meta)

    def methods(call: Call) -> dict[str, tuple[Any, ...]]:
        return {"encode": call.ts, "decode": program.encode(*call.ts)[:1], "sample": (3, 0)}

    return Programs(program, program, lambda stored: model(stored / 255).sigmoid(), methods=methods)


class Program(nn.Module):
    """(N, C, H, W) uint8 images of any size -> (N, C, height, width) float32 reconstructions, from 0 to 1."""

    def __init__(self, model: Any, meta: Meta) -> None:
        super().__init__()
        channels = meta.spec.shape[0]
        # The network reads grey values as they are.
        self.read = ReadImages(meta.model_copy(update={"mean": (0.0,) * channels, "std": (1.0,) * channels}))
        self.model = model
        self.latent_size = model.latent_size

    def forward(self, images: Tensor) -> Tensor:
        return self.model(self.read(images)).sigmoid()

    @torch.jit.export
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each image's latents, both float32 (N, latent_size)."""
        return self.model.encode(self.read(images))

    @torch.jit.export
    def decode(self, latents: Tensor) -> Tensor:
        """Latents, float32 (N, latent_size) -> (N, C, height, width) float32 pixels from 0 to 1."""
        return self.model.decode(latents).sigmoid()

    @torch.jit.export
    def sample(self, number: int, seed: int) -> Tensor:
        """New images, uint8 (number, C, height, width), the same for the same seed; for a program on the CPU."""
        generator = torch.Generator()
        generator.manual_seed(seed)
        latents = torch.randn(number, self.latent_size, generator=generator)
        return (self.decode(latents) * 255).round().to(torch.uint8)
