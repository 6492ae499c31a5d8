import pytest
import torch
from torch import nn

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.network.batches import Rows
from pipeline.tasks import regression
from pipeline.training import loop
from pipeline.training.options import TrainOptions


def test_a_linear_model_finds_the_least_squares_solution():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 3, generator=generator)
    targets = inputs @ torch.tensor([1.0, -2.0, 0.5]) + 4 + 0.1 * torch.randn(200, generator=generator)
    spec = DataSpec(modality="table", shape=(3,), num_classes=0)
    meta = Meta(spec=spec, classes=(), counts={}, scale=1.0, mean=(0.0,) * 3, std=(1.0,) * 3)
    options = TrainOptions.model_validate(
        {"epochs": 100, "batch_size": 200, "optimizer": {"name": "sgd", "lr": 0.2}, "loss": {"name": "mse"}}
    )
    network = nn.Linear(3, 1)
    task = regression.Task(network, meta, options, num_steps=100)

    class Silent:
        def on_step(self, step, losses): ...
        def on_epoch(self, row): ...

    state = loop.State()
    split = Rows(inputs), targets
    loop.fit(task, split, split, options, 0, min, state, Silent())
    design = torch.cat([inputs, torch.ones(200, 1)], dim=1)
    solution = torch.linalg.lstsq(design, targets[:, None]).solution[:, 0]
    torch.testing.assert_close(torch.cat([network.weight[0], network.bias]).detach(), solution, rtol=1e-4, atol=1e-4)
    assert list(state.history[0]) == ["epoch", "train_loss", "val_loss", "val_mae"]


def test_classes_are_refused():
    with pytest.raises(ValueError, match="use task: classification"):
        regression.check(DataSpec(modality="table", shape=(3,), num_classes=2))
