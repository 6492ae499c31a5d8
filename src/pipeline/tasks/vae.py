"""Learn to put images into a few Gaussian numbers and back: the evidence lower bound of Kingma & Welling (2013)."""

from typing import Any, Literal

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from pipeline.core.schema import Schema, parse
from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.training.options import TrainOptions
from pipeline.training.pieces import Piece
from pipeline.training.task import LearningTask

#: Validation metric -> which of two values is better.
METRICS = {"val_loss": min, "val_reconstruction": min, "val_kl": min}
#: Images in a picture of samples.
NUM_SHOWN = 64
#: Factors from 1 to 2: their product stays far below float32's largest number, 2¹²⁸.
NUM_FACTORS = 64


class Elbo(Schema):
    """The negative evidence lower bound, in nats per image: reconstruction + beta · KL.

    Reconstruction is the cross entropy of each pixel's grey value as a Bernoulli probability, KL the divergence of the
    latents from a standard normal distribution. A ``beta`` other than 1 is that of I. Higgins et al. (2017).

    Attributes:
        beta: weight of KL in training; validation always has 1.
        warmup: share of all steps over which the weight rises from 0 (S. Bowman et al., 2016).
    """

    name: Literal["elbo"]
    beta: NonNegativeFloat = 1.0
    warmup: float = Field(default=0.0, ge=0, le=1)


class Options(Schema):
    """The part of ``runs.<run>.train`` that this task defines."""

    loss: Elbo


def check(spec: DataSpec) -> None:
    """Raise ``ValueError`` unless the data are images."""
    if spec.modality != "image":
        raise ValueError(f"a VAE learns from images, and this data set is a {spec.modality}")


class Task(LearningTask):
    """Networks have ``encode`` and ``decode`` as in :mod:`pipeline.models.conv_vae`; targets don't count."""

    def __init__(self, model: Any, meta: Meta, options: TrainOptions, num_steps: int) -> None:
        super().__init__(model, meta, options, num_steps)
        self.elbo = parse(Options, {"loss": options.loss}, "train").loss

    def learns(self) -> nn.Module:
        """See :meth:`LearningTask.learns`."""
        return Parts(self.model)

    def losses(self, piece: Piece, step: int) -> dict[str, Tensor]:
        """``reconstruction`` and ``kl`` in nats per image, and their weighted sum: scalars; one draw of latents."""
        with self.precision(piece.inputs.device):
            parts = self.learner(*self._given(piece))
        return {"loss": parts["reconstruction"] + self._beta(step) * parts["kl"], **parts}

    def validate(self, piece: Piece) -> dict[str, Tensor]:
        """The same scalars with beta 1."""
        parts = self.learning(*self._given(piece))
        return {"loss": parts["reconstruction"] + parts["kl"], **parts}

    @torch.no_grad()
    def show(self) -> Tensor:
        """See :meth:`LearningTask.show`."""
        latents = torch.randn(NUM_SHOWN, self.model.latent_size, generator=torch.Generator().manual_seed(0))
        pixels = self.model.decode(latents.to(next(self.model.parameters()).device)).sigmoid()
        return (pixels * 255).round().byte()

    def _given(self, piece: Piece) -> tuple[Tensor, Tensor]:
        noise = torch.randn(piece.total, self.model.latent_size, generator=piece.noise)
        return piece.inputs.float() / 255, piece.own(noise)

    def _beta(self, step: int) -> float:
        rising = self.elbo.warmup * self.num_steps
        return self.elbo.beta * min(1.0, (step + 1) / rising if rising else 1.0)


class Parts(nn.Module):
    """Images (N, C, H, W) from 0 to 1 and noise (N, latent_size) -> the two parts of the loss, scalars, means over N.

    One module, for the results of a CUDA graph last until the next one runs.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, noise: Tensor) -> dict[str, Tensor]:
        mean, log_variance = self.model.encode(images)
        latents = mean + (log_variance / 2).exp() * noise
        logits = self.model.decode(latents).float()
        mean, log_variance = mean.float(), log_variance.float()
        reconstruction = cross_entropy(logits, images) / len(images)
        kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / (2 * len(images))
        return {"reconstruction": reconstruction, "kl": kl}


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The sum over all elements of the cross entropy between probabilities and logits, in nats: a scalar.

    Args:
        logits: x, float32 (N, ...).
        targets: probabilities t, of the same type and shape; they get no gradient.

    It is log(1 + exp(x)) - t·x = max(x, 0) + log(1 + exp(-|x|)) - t·x. A logarithm takes ten times as long as all the
    rest on a CPU, and the sum of logarithms is the logarithm of a product. Each element is right to 6e-8 nats, not in
    relation to its size.
    """
    loss: Tensor = _CrossEntropy.apply(logits, targets)
    return loss


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        ctx.save_for_backward(logits, targets)
        factors = logits.abs().neg_().exp_().add_(1)
        logarithms = [some.prod(0).log_().sum() for some in torch.split(factors, NUM_FACTORS)]
        return torch.stack(logarithms).sum() + logits.relu().sum() - torch.dot(logits.flatten(), targets.flatten())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        logits, targets = ctx.saved_tensors
        return logits.sigmoid().sub_(targets).mul_(gradients[0]), None
