"""How likely a variational autoencoder finds images that it has not seen, in nats."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Normal, kl_divergence


@dataclass(frozen=True)
class Likelihood:
    """Of each of N images, float64 (N,).

    Attributes:
        reconstruction: the cross entropy of its pixels' grey values, a mean over draws of latents.
        kl: divergence of its latents from a standard normal distribution; the negative evidence lower bound is the sum.
        importance_weighted: minus the bound on its log-likelihood of Y. Burda et al. (2015), which more draws tighten.
    """

    reconstruction: Tensor
    kl: Tensor
    importance_weighted: Tensor


@torch.inference_mode()
def measure(network: Any, images: Tensor, num_samples: int, generator: torch.Generator) -> Likelihood:
    """Judge a batch of images with so many draws of latents each.

    Args:
        network: has ``encode`` and ``decode`` as in :mod:`pipeline.models.conv_vae`.
        images: float32 (N, C, H, W), values from 0 to 1.
        num_samples: draws of latents for each image.
        generator: of the draws, on the CPU.
    """
    mean, log_variance = network.encode(images)
    posterior = Normal(mean.double(), (log_variance.double() / 2).exp(), validate_args=False)
    prior = Normal(torch.zeros_like(posterior.mean), torch.ones_like(posterior.mean), validate_args=False)
    weights, reconstructions = [], []
    for _ in range(num_samples):
        noise = torch.randn(mean.shape, generator=generator).to(mean.device)
        latents = posterior.mean + posterior.stddev * noise
        pixels = Bernoulli(logits=network.decode(latents.float()).double(), validate_args=False)
        seen = _log(pixels, images.double())  # p(x | z)
        reconstructions.append(-seen)
        weights.append(seen + _log(prior, latents) - _log(posterior, latents))
    bound = torch.stack(weights).logsumexp(0) - math.log(num_samples)
    kl = kl_divergence(posterior, prior).sum(1)
    return Likelihood(torch.stack(reconstructions).mean(0), kl, -bound)


def _log(distribution: Distribution, values: Tensor) -> Tensor:
    """Logarithm of the probability of each example, whose parts are independent."""
    found: Tensor = distribution.log_prob(values)
    return found.flatten(1).sum(1)
