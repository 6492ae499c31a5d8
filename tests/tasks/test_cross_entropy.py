import math

import pytest
import torch
from torch.nn import functional as F

from pipeline.tasks.vae import NUM_FACTORS, cross_entropy


def questions(count):
    generator = torch.Generator().manual_seed(0)
    logits = 8 * torch.randn(count, 2, 5, 3, generator=generator)
    return logits.requires_grad_(), torch.rand(count, 2, 5, 3, generator=generator)


@pytest.mark.parametrize("count", [1, NUM_FACTORS - 1, NUM_FACTORS, NUM_FACTORS + 1, 3 * NUM_FACTORS])
def test_it_is_the_sum_of_all_cross_entropies(count):
    logits, targets = questions(count)
    found = cross_entropy(logits, targets)
    exact = F.binary_cross_entropy_with_logits(logits.double(), targets.double(), reduction="sum")
    assert found.item() == pytest.approx(exact.item(), rel=1e-6)


def test_its_gradient_is_probability_minus_target():
    logits, targets = questions(100)
    (3 * cross_entropy(logits, targets)).backward()
    exact = logits.detach().double().requires_grad_()
    (3 * F.binary_cross_entropy_with_logits(exact, targets.double(), reduction="sum")).backward()
    torch.testing.assert_close(logits.grad.double(), exact.grad, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("logit", [-200.0, 0.0, 200.0])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_no_logit_is_too_large(logit, target):
    logits, targets = torch.full((200, 7), logit), torch.full((200, 7), target)
    exact = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    assert cross_entropy(logits, targets).item() == pytest.approx(exact.item(), rel=1e-6)


def test_each_element_is_right_to_half_a_rounding():
    logits = torch.full((64, 1000), -14.0)  # exp(-14) is a few of the smallest steps above 1
    exact = F.softplus(logits.double()).sum().item()
    assert cross_entropy(logits, torch.zeros_like(logits)).item() == pytest.approx(exact, abs=64_000 * 6e-8)


@pytest.mark.parametrize("logit", [math.nan, math.inf])
def test_what_is_not_finite_shows(logit):
    logits = torch.zeros(4, 3)
    logits[2, 1] = logit
    assert not cross_entropy(logits, torch.full((4, 3), 0.5)).isfinite()
