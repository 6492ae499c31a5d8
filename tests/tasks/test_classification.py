import pytest
import torch
from torch import nn

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.tasks import classification
from pipeline.training.options import TrainOptions

SPEC = DataSpec(modality="table", shape=(3,), num_classes=3)
META = Meta(spec=SPEC, classes=("a", "b", "c"), counts={}, scale=1.0, mean=(0.0,) * 3, std=(1.0,) * 3)
LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
TARGETS = torch.tensor([0, 2])


def task(**loss):
    options = TrainOptions.model_validate(
        {"epochs": 1, "batch_size": 2, "optimizer": {"name": "sgd", "lr": 0.1}, "loss": loss}
    )
    return classification.Task(nn.Linear(3, 3), META, options, num_steps=1)


def test_cross_entropy_is_that_of_the_logits_with_no_softmax_before():
    expected = -torch.stack([LOGITS[0].softmax(0)[0], LOGITS[1].softmax(0)[2]]).log().mean()
    assert torch.isclose(task(name="cross_entropy").loss(LOGITS, TARGETS), expected)


def test_mse_compares_probabilities_with_the_one_hot_label():
    one_hot = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
    expected = ((LOGITS.softmax(1) - one_hot) ** 2).mean()
    assert torch.isclose(task(name="mse").loss(LOGITS, TARGETS), expected)


def test_smoothing_changes_what_is_learnt_and_not_what_is_measured():
    plain, smooth = task(name="cross_entropy"), task(name="cross_entropy", label_smoothing=0.2)
    assert smooth.loss(LOGITS, TARGETS) > plain.loss(LOGITS, TARGETS)
    assert smooth.measure(LOGITS, TARGETS)["loss"] == plain.measure(LOGITS, TARGETS)["loss"]
    assert smooth.measure(LOGITS, TARGETS)["accuracy"] == 0.5


def test_a_target_without_classes_is_refused():
    with pytest.raises(ValueError, match="use task: regression"):
        classification.check(DataSpec(modality="table", shape=(3,), num_classes=0))
