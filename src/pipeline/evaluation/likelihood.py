"""How likely a variational autoencoder finds images that it has not seen, in nats."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Normal, kl_divergence


@dataclass(frozen=True)
class Bounds:
    """What an image costs, for each of N, float64 (N,).

    Grey values count as chances of a white pixel, as is common; the density of grey images that this makes doesn't
    integrate to 1, so that numbers compare with those of others who do the same and not with those of binary images.

    Attributes:
        reconstruction: the cross entropy of its pixels' grey values, a mean over draws of latents.
        kl: divergence of its latents from a standard normal distribution; the negative evidence lower bound is the sum.
        importance_weighted: minus the bound of Y. Burda et al. (2015), which more draws tighten.
    """

    reconstruction: Tensor
    kl: Tensor
    importance_weighted: Tensor


@torch.inference_mode()
def measure(network: Any, images: Tensor, num_samples: int, generator: torch.Generator) -> Bounds:
    """Judge a batch of images with so many draws of latents each.

    Args:
        network: has ``encode`` and ``decode`` as in :mod:`pipeline.models.conv_vae`.
        images: float32 (N, C, H, W), values from 0 to 1.
        num_samples: draws of latents for each image.
        generator: of the draws, on the CPU.
    """
    mean, log_variance = network.encode(images)
    mean, log_variance = mean.cpu().double(), log_variance.cpu().double()  # not every device has float64
    seen = images.cpu().double()
    posterior = Normal(mean, (log_variance / 2).exp(), validate_args=False)
    prior = Normal(torch.zeros_like(posterior.mean), torch.ones_like(posterior.mean), validate_args=False)
    weights, reconstructions = [], []
    for _ in range(num_samples):
        latents = mean + posterior.stddev * torch.randn(mean.shape, generator=generator)
        logits = network.decode(latents.float().to(images.device)).cpu().double()
        log_chance = _log(Bernoulli(logits=logits, validate_args=False), seen)  # of the image, given the latents
        reconstructions.append(-log_chance)
        weights.append(log_chance + _log(prior, latents) - _log(posterior, latents))
    bound = torch.stack(weights).logsumexp(0) - math.log(num_samples)
    kl = kl_divergence(posterior, prior).sum(1)
    return Bounds(torch.stack(reconstructions).mean(0), kl, -bound)


def _log(distribution: Distribution, values: Tensor) -> Tensor:
    """Logarithm of the probability of each example, whose parts are independent."""
    found: Tensor = distribution.log_prob(values)
    return found.flatten(1).sum(1)
