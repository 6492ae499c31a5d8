"""What every model of texts must do: padding never changes an answer."""

import warnings

import pytest
import torch
from specimens import SPECS, network, readers, stored

OPTIONS = [
    *((name, {}) for name in readers("text")),
    *(
        ("text_lstm", {"pooling": pooling, "num_layers": layers, "bidirectional": both, "hidden_size": 16})
        for pooling in ("max", "mean", "last")
        for layers in (1, 2)
        for both in (False, True)
    ),
    ("text_cnn", {"widths": (1, 2, 7)}),
    ("transformer", {"num_layers": 1, "num_heads": 1, "hidden_size": 6}),
]
LENGTHS = [1, 2, 3, 5, 8, 12]
each = pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)


def padded():
    """Six texts, each of another length, in one batch: int64 (6, 12)."""
    tokens = stored(SPECS["text"], len(LENGTHS))
    return tokens.where(torch.arange(12) < torch.tensor(LENGTHS)[:, None], 0)


def scripted(network):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
        return torch.jit.freeze(torch.jit.script(network))


@each
@pytest.mark.parametrize("form", [lambda network: network, scripted], ids=["eager", "TorchScript"])
@torch.inference_mode()
def test_a_text_gets_the_same_answer_alone_and_beside_longer_ones(name, options, form):
    answer, batch = form(network(name, SPECS["text"], **options)), padded()
    together = answer(batch)
    assert together.std(0).max() > 0.01  # the answers differ, or nothing would be shown
    for number, length in enumerate(LENGTHS):
        for width in {length, min(length + 1, 12), 12}:
            alone = answer(batch[number : number + 1, :width])
            torch.testing.assert_close(alone, together[number : number + 1], rtol=0, atol=1e-5)


@each
def test_padding_learns_nothing(name, options):
    built = network(name, SPECS["text"], **options)
    built(padded()).square().sum().backward()
    embedding = next(module for module in built.modules() if isinstance(module, torch.nn.Embedding))
    assert not embedding.weight.grad[0].any() and embedding.weight.grad[2:].any()
