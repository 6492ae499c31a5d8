"""The cross entropy of many yes-or-no questions at once, with one logarithm for dozens of them."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Factors from 1 to 2: their product stays far below float32's largest number, 2¹²⁸.
NUM_FACTORS = 64


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
