"""What is deployed of a generative adversarial network: its generator."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from pipeline.core.storage import Meta
from pipeline.exporting.programs import Call, Programs, Tensors


def programs(model: Any, meta: Meta) -> Programs:
    """The programs around the generator of the trained ``model``."""
    program = Program(model)

    def calls(tensors: Tensors, batch_size: int) -> list[Call]:
        """As many latents as there are test examples, since the program reads none of those."""
        generator = torch.Generator().manual_seed(0)
        latents = torch.randn(len(tensors["targets"]), program.latent_size, generator=generator)
        return [Call(part, (part,), (part,)) for part in torch.split(latents, batch_size)]

    example = (torch.zeros(2, program.latent_size),), ({0: Dim("N")},)
    methods = {"sample": (3, 0)}
    return Programs(program, program, lambda latents: _levels(model(latents)), calls, lambda call: methods, example)


class Program(nn.Module):
    """Latents, float32 (N, latent_size), drawn from a standard normal distribution -> (N, C, H, W) uint8 images.

    Raises:
        ValueError: another dtype, number of axes or size (``torch.jit.Error`` after ``torch.jit.load``).
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.generator = model.generator
        self.latent_size = model.latent_size

    def forward(self, latents: Tensor) -> Tensor:
        if latents.dtype != torch.float32 or latents.dim() != 2 or latents.shape[1] != self.latent_size:
            raise ValueError(f"latents must be float32 of shape (N, {self.latent_size})")
        return _levels(self.generator(latents))

    @torch.jit.export
    def sample(self, number: int, seed: int) -> Tensor:
        """New images, uint8 (number, C, H, W), the same for the same seed; for a program on the CPU."""
        generator = torch.Generator()
        generator.manual_seed(seed)
        return self(torch.randn(number, self.latent_size, generator=generator))


def _levels(images: Tensor) -> Tensor:
    """Pixels from -1 to 1 -> uint8."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
