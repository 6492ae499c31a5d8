import pytest
import torch
from torch import nn

from pipeline.training.dropout import QuickDropout
from pipeline.training.onednn.quickening import quicken


def dropped(p, shape):
    torch.manual_seed(0)
    inputs = torch.ones(shape, requires_grad=True)
    return inputs, QuickDropout(p)(inputs)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9, 1e-4])
def test_a_number_is_dropped_with_the_probability_and_the_mean_stays(p):
    _, outputs = dropped(p, (1000, 1001))
    share = (outputs == 0).double().mean().item()
    assert share == pytest.approx(p, abs=5 * (p * (1 - p) / 1e6) ** 0.5 + 1e-5)
    kept = outputs[outputs != 0]
    assert torch.allclose(kept, torch.tensor(1 / (1 - p)), rtol=2e-4)
    assert outputs.double().mean().item() == pytest.approx(1, abs=6 * (p / (1 - p) / 1e6) ** 0.5)


def test_neighbours_are_dropped_independently():
    _, outputs = dropped(0.3, 1 << 20)
    kept = (outputs.detach() != 0).double()
    for distance in range(1, 9):  # four share a random number
        correlation = torch.corrcoef(torch.stack([kept[distance:], kept[:-distance]]))[0, 1].item()
        assert abs(correlation) < 5 / 2**10
    places = kept.view(-1, 4).mean(0)
    assert torch.allclose(places, torch.full_like(places, 0.7), atol=5 * (0.21 / 2**18) ** 0.5)


def test_the_gradient_passes_where_a_number_did():
    inputs, outputs = dropped(0.4, (7, 5))
    outputs.sum().backward()
    assert torch.equal(inputs.grad, outputs)  # of ones


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 1), (5, 7, 3)])
def test_any_number_of_elements(shape):
    assert dropped(0.5, shape)[1].shape == shape


def test_the_type_stays_as_it_is_and_so_do_strides():
    inputs = torch.ones(4, 3, 5, 6, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    outputs = QuickDropout(0.5)(inputs)
    assert outputs.dtype == torch.bfloat16
    assert outputs.stride() == inputs.stride()


def test_the_seed_decides_what_is_dropped_whatever_the_number_of_threads():
    before = torch.get_num_threads()
    outputs = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            outputs.append(dropped(0.5, (300, 400))[1])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*outputs)
    assert not torch.equal(outputs[0], QuickDropout(0.5)(torch.ones(300, 400)))


@pytest.mark.parametrize("p", [0.0, 1e-9, 1.0])
def test_with_nothing_to_draw_it_is_pytorchs_own(p):
    inputs = torch.randn(10)
    assert torch.equal(QuickDropout(p)(inputs), nn.Dropout(round(p))(inputs))


def test_evaluation_drops_nothing():
    inputs = torch.randn(10)
    assert QuickDropout(0.5).eval()(inputs) is inputs


def test_it_takes_the_place_of_pytorchs_while_a_network_learns():
    network = nn.Sequential(nn.Dropout(0.2), nn.Dropout1d(0.2))
    quicken(network)
    assert [type(layer) for layer in network] == [QuickDropout, nn.Dropout1d]
    assert network[0].p == 0.2
