"""For tests of layers that learn by oneDNN: what one of them makes, beside what PyTorch's own makes."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from torch import Tensor, nn

from pipeline.network.layers import PooledConv2d
from pipeline.training.onednn.quickening import quicken

#: Of sums of some hundred terms in float32.
TOLERANCE = 1e-4
#: What makes a layer of each kind, and the shape of inputs that are enough for it to be quick.
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(200, 150), (300, 200)),
    "pooled": (lambda: PooledConv2d(1, 2, 3), (3, 1, 8, 8)),
    "conv": (lambda: nn.Conv2d(1, 32, 4, stride=2, padding=1), (40, 1, 28, 28)),
    "conv_transpose": (lambda: nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), (40, 32, 14, 14)),
}


def learn(layer: nn.Module, inputs: Tensor, weights: Tensor) -> list[Any]:
    """Outputs, and the gradients of a weighted sum of them: of the inputs and all parameters."""
    inputs = inputs.detach().clone().requires_grad_()
    outputs = layer(inputs)
    (outputs.float() * weights).sum().backward()
    return [outputs.detach(), inputs.grad, *(parameter.grad for parameter in layer.parameters())]


def assert_alike(quick: Sequence[Tensor], exact: Sequence[Tensor]) -> None:
    """Each pair of tensors differs by a small share of the second one's size."""
    for one, other in zip(quick, exact, strict=True):
        assert one.shape == other.shape
        assert (one.double() - other.double()).norm() <= TOLERANCE * other.double().norm()


def quickened(layer: nn.Module) -> nn.Module:
    """A copy that is quick."""
    network = nn.Sequential(deepcopy(layer))
    quicken(network)
    return network[0]


def is_quick(outputs: Tensor) -> bool:
    """Whether a quick layer made them, or what they are a view of; its inputs are nothing that another layer made."""
    function: Any = outputs.grad_fn
    while function is not None and type(function).__module__ != "torch.autograd.function":
        function = function.next_functions[0][0] if function.next_functions else None
    return function is not None
