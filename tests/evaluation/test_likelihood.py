"""Against a model whose likelihood is known: latents z ~ N(0, I), pixels ~ Bernoulli(sigmoid(W z + b))."""

import math

import pytest
import torch
from scipy.integrate import quad

from pipeline.evaluation import likelihood


class OneLatent:
    """One latent, three pixels, and a posterior that may be wrong."""

    weights, bias = torch.tensor([1.5, -1.0, 0.5]), torch.tensor([0.2, 0.1, -0.3])

    def __init__(self, mean, log_variance):
        self.posterior = mean, log_variance

    def encode(self, images):
        return tuple(torch.full((len(images), 1), value) for value in self.posterior)

    def decode(self, latents):
        return (latents @ self.weights[None] + self.bias).view(-1, 1, 1, 3)


IMAGES = torch.tensor([[[[1.0, 0.0, 1.0]]], [[[0.0, 0.0, 1.0]]]])


def log_likelihood(image):
    """Of one image, by integrating over the latent."""

    def density(z):
        logits = OneLatent.weights * z + OneLatent.bias
        chance = torch.where(image.flatten() == 1, logits.sigmoid(), (-logits).sigmoid()).prod().item()
        return chance * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    return math.log(quad(density, -12, 12)[0])


def measure(mean, log_variance, num_samples):
    generator = torch.Generator().manual_seed(0)
    return likelihood.measure(OneLatent(mean, log_variance), IMAGES, num_samples, generator)


def test_both_bounds_are_bounds_and_many_draws_make_the_weighted_one_tight():
    truth = torch.tensor([-log_likelihood(image) for image in IMAGES], dtype=torch.float64)
    one, many = measure(0.5, -0.5, 1), measure(0.5, -0.5, 20_000)
    assert (many.reconstruction + many.kl > truth + 0.05).all()
    torch.testing.assert_close(many.importance_weighted, truth, rtol=0, atol=0.02)
    # With one draw it is the evidence lower bound of that draw.
    assert one.importance_weighted.shape == (2,)


def test_the_divergence_is_that_of_two_gaussians():
    found = measure(0.7, math.log(0.25), 1).kl
    assert found.tolist() == pytest.approx([0.5 * (0.25 + 0.49 - 1 - math.log(0.25))] * 2, rel=1e-6)


class LinearGaussian:
    """x = W z + b + noise: its posterior is known, and with it every bound is the likelihood itself."""

    def __init__(self):
        generator = torch.Generator().manual_seed(1)
        self.loading = torch.randn(6, 2, generator=generator, dtype=torch.float64)
        self.noise = 0.7

    def log_likelihood(self, x):
        covariance = self.loading @ self.loading.T + self.noise**2 * torch.eye(6, dtype=torch.float64)
        marginal = torch.distributions.MultivariateNormal(torch.zeros(6, dtype=torch.float64), covariance)
        return marginal.log_prob(x)

    def posterior(self, x):
        precision = torch.eye(2, dtype=torch.float64) + self.loading.T @ self.loading / self.noise**2
        covariance = precision.inverse()
        return x @ (covariance @ self.loading.T).T / self.noise**2, covariance


def test_a_linear_gaussian_model_has_the_evidence_that_its_bounds_say(monkeypatch):
    model = LinearGaussian()
    # Axes along which the posterior is independent, as an encoder's is.
    rotation = torch.linalg.svd(model.loading)[2]
    model.loading = model.loading @ rotation.T
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    mean, covariance = model.posterior(x)
    assert torch.allclose(covariance, covariance.diag().diag(), atol=1e-12)

    class Network:
        def encode(self, images):
            return mean, covariance.diag().log().expand_as(mean)

        def decode(self, latents):
            return (latents.double() @ model.loading.T).view(-1, 1, 1, 6)

    class Gaussian(torch.distributions.Normal):
        """Pixels around what the decoder says, in place of Bernoulli's."""

        def __init__(self, logits, validate_args):
            super().__init__(logits, model.noise, validate_args=validate_args)

    monkeypatch.setattr(likelihood, "Bernoulli", Gaussian)
    generator = torch.Generator().manual_seed(0)
    found = likelihood.measure(Network(), x.view(4, 1, 1, 6), 4000, generator)
    expected = -model.log_likelihood(x)
    torch.testing.assert_close(found.importance_weighted, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.reconstruction + found.kl, expected, rtol=0, atol=0.1)
