import pytest
import torch
from torch import nn

from pipeline.exporting import torchscript
from pipeline.exporting.proof import prove

ANSWERS = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
BATCHES = [(index,) for index in torch.arange(3).split(2)]


def test_equal_answers_are_counted():
    assert prove("m.ts", ANSWERS.__getitem__, BATCHES, ANSWERS, 1e-5) == {"max_difference": 0.0, "labels_equal": 3}


def test_a_small_difference_is_measured():
    found = prove("m.ts", (ANSWERS + 2**-20).__getitem__, BATCHES, ANSWERS, 1e-5)
    assert found == {"max_difference": pytest.approx(2**-20, rel=0.1), "labels_equal": 3}


def test_another_label_is_refused_whatever_the_tolerance():
    with pytest.raises(ValueError, match=r"m.ts: 2 of 3 test examples have another label"):
        prove("m.ts", ANSWERS[[1, 0, 2]].__getitem__, BATCHES, ANSWERS, 10.0)


def test_a_large_difference_is_refused():
    other = ANSWERS.clone()
    other[1] = torch.tensor([0.3, 0.7])
    with pytest.raises(ValueError, match=r"1 of 3 test examples differ by more than export.tolerance \(=0.01\)"):
        prove("m.ts", other.__getitem__, BATCHES, ANSWERS, 0.01)


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="3 of 3 test examples differ"):
        prove("m.ts", torch.full((3,), torch.nan).__getitem__, BATCHES, torch.ones(3), 1e-5)


def test_large_predictions_may_differ_in_their_last_digit():
    expected = torch.tensor([150.0, 0.5, -300.0])
    found = prove("m.ts", (expected * (1 + 1e-6)).__getitem__, BATCHES, expected, 1e-5)
    assert found == {"max_difference": pytest.approx(3e-4, rel=0.1)}


def test_a_weight_changed_on_disk_is_noticed(tmp_path):
    layer = nn.Linear(4, 3).eval().requires_grad_(False)
    rows = torch.randn(9, 4)
    expected = layer(rows).softmax(1)
    layer.weight[1, 2] += 0.01
    torchscript.write(nn.Sequential(layer, nn.Softmax(1)).eval(), tmp_path / "model.ts")
    program = torchscript.load(tmp_path / "model.ts")
    with pytest.raises(ValueError, match=r"m.ts: \d of 9 test examples"):
        prove("m.ts", program, [(batch,) for batch in rows.split(4)], expected, 1e-5)
